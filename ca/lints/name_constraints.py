"""Every name inside the permitted subtrees of all CAs above and outside their excluded ones (RFC 5280 4.2.1.10)."""

import ipaddress
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.x509.oid import NameOID

from ca.lints.case import Broken, Case, dns_names, extension

Names = list[x509.GeneralName]
_SMTP_UTF8_MAILBOX = x509.ObjectIdentifier("1.3.6.1.5.5.7.8.9")


def check(case: Case) -> None:
    if case.profile.self_signed:
        return
    names = list(_names(case.certificate))
    for above in (case.issuer, *case.above):
        constraints = extension(above, x509.NameConstraints)
        if constraints is None:
            continue
        for name in names:
            _check(
                name, list(constraints.permitted_subtrees or ()), list(constraints.excluded_subtrees or ())
            )


def _names(certificate: x509.Certificate) -> Iterator[x509.GeneralName]:
    """The subject, its mail addresses, its CN where no SAN has a host and verifiers take it for one, and the SAN."""
    subject = certificate.subject
    if list(subject):
        yield x509.DirectoryName(subject)
    for mail in subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS):
        if not str(mail.value).isascii():
            raise Broken(
                "the subject has a mail address outside ASCII, which no constraint can be held against"
            )
        yield x509.RFC822Name(str(mail.value))
    if not dns_names(certificate) and not _is_authority(certificate):
        for common in subject.get_attributes_for_oid(NameOID.COMMON_NAME):
            text = str(common.value)
            if text.isascii() and "." in text and not set(text) & set(" @/:"):
                yield x509.DNSName(text)
    yield from extension(certificate, x509.SubjectAlternativeName) or ()


def _is_authority(certificate: x509.Certificate) -> bool:
    constraints = extension(certificate, x509.BasicConstraints)
    return constraints is not None and constraints.ca


def _check(name: x509.GeneralName, permitted: Names, excluded: Names) -> None:
    """Excluded beats permitted; a kind that is not constrained is free."""
    kind = type(name)
    if isinstance(name, x509.OtherName) and name.type_id == _SMTP_UTF8_MAILBOX:
        _check_mailbox([*permitted, *excluded])
    if any(type(tree) is kind and _touches(name, tree, excluding=True) for tree in excluded):
        raise Broken(f"the name {_shown(name)} is excluded by the name constraints of a CA above")
    allowed = [tree for tree in permitted if type(tree) is kind]
    if allowed and not any(_touches(name, tree, excluding=False) for tree in allowed):
        raise Broken(f"the name {_shown(name)} is outside the name constraints of a CA above")


def _check_mailbox(trees: Names) -> None:
    """Mail addresses outside ASCII are bound by the constraints of those inside (RFC 9598 6), which no rule here reads them by."""
    if any(isinstance(tree, x509.RFC822Name) for tree in trees):
        raise Broken("a SmtpUTF8Mailbox below constraints of mail addresses")


def _shown(name: x509.GeneralName) -> str:
    value = name.value
    return value.rfc4514_string() if isinstance(value, x509.Name) else repr(str(value)[:100])


def _touches(name: x509.GeneralName, tree: x509.GeneralName, *, excluding: bool) -> bool:
    """Whether the name lies in the subtree. A kind that no rule reads counts against the certificate."""
    value: Any = name.value
    base: Any = tree.value
    match name:
        case x509.DNSName():
            return _host_in(value.lower(), base.lower(), excluding=excluding)
        case x509.IPAddress():
            return value.version == base.version and ipaddress.ip_network(value).subnet_of(base)
        case x509.RFC822Name():
            return _mail_in(value, base)
        case x509.UniformResourceIdentifier():
            return _uri_in(value, base, excluding=excluding)
        case x509.DirectoryName():
            return _folded(value)[: len(base.rdns)] == _folded(base)
    return excluding


def _folded(name: x509.Name) -> list[frozenset[tuple[str, str]]]:
    """The RDNs with case and white space folded (RFC 5280 7.1)."""
    return [
        frozenset((each.oid.dotted_string, " ".join(str(each.value).casefold().split())) for each in relative)
        for relative in name.rdns
    ]


def _host_in(host: str, base: str, *, excluding: bool) -> bool:
    """A wildcard stands for every host that it matches: one of them excluded excludes it."""
    base = base.rstrip(".")
    if base == "":
        return True
    inside = host == base or host.endswith(base if base.startswith(".") else f".{base}")
    if inside or not (excluding and host.startswith("*.")):
        return inside
    return base.lstrip(".").endswith(host[1:])


def _mail_in(mail: str, base: str) -> bool:
    local, _, host = mail.rpartition("@")
    if "@" in base:
        wanted_local, _, wanted_host = base.rpartition("@")
        return local == wanted_local and host.lower() == wanted_host.lower()
    return _exact_or_below(host.lower(), base.lower())


def _uri_in(uri: str, base: str, *, excluding: bool) -> bool:
    """By its host; one without a host of its own, or with an address, can be judged by no constraint."""
    try:
        host = (urlsplit(uri).hostname or "").lower()
    except ValueError:
        host = ""
    if not host or ":" in host or host.rpartition(".")[2].isdigit():
        return excluding
    return _exact_or_below(host, base.lower())


def _exact_or_below(host: str, base: str) -> bool:
    return host.endswith(base) if base.startswith(".") else base in {"", host}
