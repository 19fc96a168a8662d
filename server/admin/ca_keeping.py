"""The operator's commands on authorities: import, subordinate, lock, unlock, rotate-key, cross-sign, show."""

import base64
import binascii
import dataclasses
import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from cryptography import x509

from ca import AuthorityView, Confinement, Crossed, Custody, LineageNode, NewSubordinate, Offer, chain_path
from foundation.store import SYSTEM, Scope, Unit
from server.admin import acting
from server.admin.acting import Arguments
from server.admin.protocol import CommandFailed, Progress

if TYPE_CHECKING:
    from server.assembly import Assembly

T = TypeVar("T")
KINDS = ("dns", "ip", "email", "uri")


def import_begin(assembly: "Assembly", arguments: Arguments, progress: Progress) -> dict[str, Any]:
    """→ authority_id, token, public_key, algorithm: how the private key is to come."""
    offer = _offer(arguments)
    progress("judging the certificate; the key core makes a key to wrap the CA's with")
    made = kept(
        assembly,
        arguments,
        "BeginAuthorityImport",
        _of_offer(offer),
        lambda custody: custody.begin_import(offer),
    )
    return {
        "authority_id": made.authority_id,
        "token": _text_of(made.token),
        "public_key": _text_of(made.public_key),
        "algorithm": made.algorithm,
    }


def import_finish(assembly: "Assembly", arguments: Arguments, progress: Progress) -> dict[str, Any]:
    """→ arn, kind, subject, not_after, crl_url."""
    offer, authority_id = _offer(arguments), acting.text(arguments, "authority_id") or ""
    token, wrapped = _bytes(arguments, "token"), _bytes(arguments, "wrapped")
    progress("the key goes to the key core, which holds it against the certificate")
    facts = {**_of_offer(offer), "certificateAuthorityId": authority_id}

    def body(custody: Custody) -> AuthorityView:
        return custody.finish_import(offer, authority_id, token, wrapped)

    return _shown(assembly, kept(assembly, arguments, "ImportAuthority", facts, body))


def subordinate(assembly: "Assembly", arguments: Arguments, progress: Progress) -> dict[str, Any]:
    """→ arn, kind, subject, not_after, crl_url, certificate, chain."""
    new = NewSubordinate(
        parent_arn=_required(arguments, "parent"),
        subject=_name(_required(arguments, "subject")),
        spec=acting.text(arguments, "key_algorithm"),
        validity=_days(arguments, "days"),
        path_length=_number(arguments, "path_length", 0),
        confinement=confinement_of(arguments),
    )
    progress("making its key in the key core, and its certificate by the parent")
    facts = {"parent": new.parent_arn, "subject": new.subject.rfc4514_string(), "pathLength": new.path_length}
    made = kept(assembly, arguments, "CreateSubordinate", facts, lambda custody: custody.subordinate(new))
    return _shown(assembly, made) | {"certificate": made.certificate_pem, "chain": made.chain_pem}


def lock(assembly: "Assembly", arguments: Arguments, progress: Progress) -> dict[str, Any]:
    """→ arn, kind, subject, not_after, crl_url."""
    arn, days = _required(arguments, "authority"), _number(arguments, "crl_days", 90)
    progress(f"signing its last CRL, good for {days} days; then its key is locked")
    facts = {"certificateAuthorityArn": arn, "crlDays": days}
    return _shown(
        assembly,
        kept(assembly, arguments, "LockAuthority", facts, lambda custody: custody.lock(arn, days)),
    )


def unlock(assembly: "Assembly", arguments: Arguments, _progress: Progress) -> dict[str, Any]:
    """→ until (RFC 3339)."""
    arn, seconds = _required(arguments, "authority"), _number(arguments, "seconds", 0)
    reason = _required(arguments, "reason")
    facts = {"certificateAuthorityArn": arn, "seconds": seconds, "reason": reason}

    def body(custody: Custody) -> datetime:
        return custody.unlock(arn, timedelta(seconds=seconds))

    return {"until": f"{kept(assembly, arguments, 'UnlockAuthority', facts, body):%Y-%m-%dT%H:%M:%SZ}"}


def rotate_key(assembly: "Assembly", arguments: Arguments, progress: Progress) -> dict[str, Any]:
    """→ old, new (arn), certificate (of the new), and old_with_new, new_with_old (URL) where they are."""
    arn, spec = _required(arguments, "authority"), acting.text(arguments, "key_algorithm")
    validity = _days(arguments, "days")
    progress("making the new key in the key core, and the certificates between old and new")
    facts = {"certificateAuthorityArn": arn, "keyAlgorithm": spec or ""}

    def body(custody: Custody) -> dict[str, Any]:
        made = custody.rotate(arn, spec, validity)
        new = custody.view(made.new.id)
        crosses = {"old_with_new": made.old_with_new, "new_with_old": made.new_with_old}
        return {
            "old": arn,
            "new": new.arn,
            "certificate": new.certificate_pem,
            **{name: _url(assembly, each) for name, each in crosses.items() if each is not None},
        }

    return kept(assembly, arguments, "RotateAuthorityKey", facts, body)


def cross_sign(assembly: "Assembly", arguments: Arguments, _progress: Progress) -> dict[str, Any]:
    """→ url, certificate, chain."""
    arn, by = _required(arguments, "authority"), _required(arguments, "by")
    validity = _days(arguments, "days")
    facts = {"certificateAuthorityArn": arn, "by": by}
    made = kept(
        assembly,
        arguments,
        "CrossSignAuthority",
        facts,
        lambda custody: custody.cross_sign(arn, by, validity),
    )
    return {
        "url": _url(assembly, made),
        "certificate": made.certificate_pem,
        "chain": made.chain_pem,
    }


def show(assembly: "Assembly", arguments: Arguments, _progress: Progress) -> dict[str, Any]:
    """→ authorities: the trees, see `ca.LineageNode`, times in RFC 3339; now."""
    every = arguments.get("every") is True
    named = {"account": acting.text(arguments, "account"), "region": acting.text(arguments, "region")}
    trees = kept(
        assembly,
        named,
        "ShowAuthorities",
        {"every": every},
        lambda custody: custody.lineage(every=every),
        reads=True,
    )
    return {
        "now": f"{assembly.clock.now():%Y-%m-%dT%H:%M:%SZ}",
        "authorities": [_plain(each) for each in trees],
    }


def confinement_of(arguments: Arguments) -> Confinement:
    """The name constraints that the arguments permit_dns, exclude_ip … name, each a list of texts."""
    return Confinement(
        permitted=tuple((kind, each) for kind in KINDS for each in _texts(arguments, f"permit_{kind}")),
        excluded=tuple((kind, each) for kind in KINDS for each in _texts(arguments, f"exclude_{kind}")),
    )


COMMANDS: Mapping[str, acting.Command] = {
    "ca.import.begin": import_begin,
    "ca.import.finish": import_finish,
    "ca.subordinate": subordinate,
    "ca.lock": lock,
    "ca.unlock": unlock,
    "ca.rotate-key": rotate_key,
    "ca.cross-sign": cross_sign,
    "ca.show": show,
}


def kept(
    assembly: "Assembly",
    arguments: Arguments,
    name: str,
    facts: Mapping[str, Any],
    body: Callable[[Custody], T],
    *,
    reads: bool = False,
) -> T:
    """Does it in the account and Region of the authority that is named, else in those that are."""
    account, region = _place(assembly, arguments)
    call = acting.operator(assembly, account, region)

    def run(unit: Unit) -> T:
        return body(assembly.ca(call, unit).custody(assembly.clock.wall))

    return acting.perform(assembly, call, name, {**facts, "accountId": account}, run, reads=reads)


def _place(assembly: "Assembly", arguments: Arguments) -> tuple[str, str]:
    arn = acting.text(arguments, "authority") or acting.text(arguments, "parent")
    if arn is None:
        return acting.account(assembly, arguments), acting.region(assembly, arguments)
    parts = arn.split(":")
    if len(parts) != 6 or parts[2] != "acm-pca":
        raise CommandFailed(f"{arn[:200]} is not the ARN of an authority: `keystead ca show` prints them")
    if Scope(parts[4], parts[3]) == SYSTEM:
        return parts[4], parts[3]
    named = {"account": parts[4], "region": parts[3]}
    return acting.account(assembly, named), acting.region(assembly, named)


def _offer(arguments: Arguments) -> Offer:
    crl = None if arguments.get("crl") is None else _bytes(arguments, "crl")
    return Offer(
        _bytes(arguments, "certificate"), _bytes(arguments, "chain"), crl, _bytes(arguments, "issued")
    )


def _of_offer(offer: Offer) -> dict[str, str]:
    return {"certificateSha256": hashlib.sha256(offer.certificate).hexdigest()}


def _shown(assembly: "Assembly", view: AuthorityView) -> dict[str, Any]:
    return {
        "arn": view.arn,
        "kind": view.kind,
        "status": view.status,
        "subject": view.subject,
        "not_after": f"{view.not_after:%Y-%m-%d}",
        "crl_url": f"{assembly.settings.own_url}/pki/{view.id}.crl",
    }


def _url(assembly: "Assembly", crossed: Crossed) -> str:
    return f"{assembly.settings.own_url}{chain_path(crossed.authority_id, crossed.number)}"


def _plain(node: LineageNode) -> dict[str, Any]:
    """JSON's kinds of values only."""
    return {key: _value(value) for key, value in dataclasses.asdict(node).items()}


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(value, dict):
        return {key: _value(each) for key, each in value.items()}
    return [_value(each) for each in value] if isinstance(value, list | tuple) else value


def _name(text: str) -> x509.Name:
    try:
        return x509.Name.from_rfc4514_string(text if "=" in text else f"CN={text}")
    except ValueError as error:
        raise CommandFailed(
            f"{text[:200]!r} is no subject such as CN=Some CA,O=Example,C=GB: {error}"
        ) from error


def _required(arguments: Arguments, name: str) -> str:
    value = acting.text(arguments, name)
    if not value:
        raise CommandFailed(f"{name} is missing")
    return value


def _texts(arguments: Arguments, name: str) -> list[str]:
    value = arguments.get(name) or []
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise CommandFailed(f"{name} must be a list of texts")
    return value


def _number(arguments: Arguments, name: str, default: int) -> int:
    value = arguments.get(name, default)
    if not isinstance(value, int):
        raise CommandFailed(f"{name} must be a number")
    return value


def _days(arguments: Arguments, name: str) -> timedelta | None:
    return None if arguments.get(name) is None else timedelta(days=_number(arguments, name, 0))


def _bytes(arguments: Arguments, name: str) -> bytes:
    try:
        return base64.b64decode(acting.text(arguments, name) or "", validate=True)
    except binascii.Error as error:
        raise CommandFailed(f"{name} must be base64") from error


def _text_of(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
