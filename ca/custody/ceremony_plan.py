"""The plan of a root ceremony, read from a reviewed file: everything is judged before anything is done."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from cryptography import x509

from ca.csr import ProvenRequest, prove
from ca.custody.likeness import Confinement
from ca.errors import BadCsr, OrderRefused
from ca.keys import CA_KEY_SPECS

KINDS: Final = ("dns", "ip", "email", "uri")
MOST_SUBORDINATES: Final = 32
_MOST: Final = 36600  # days: a hundred years; path lengths are far below
_CONFINES: Final = frozenset(f"{verb}_{kind}" for verb in ("permit", "exclude") for kind in KINDS)
_TOP: Final = frozenset({"ceremony", "root", "subordinate", "lock"})
_CEREMONY: Final = frozenset({"title", "witnesses"})
_ROOT: Final = _CONFINES | {"subject", "key_algorithm", "days", "path_length"}
_SUBORDINATE: Final = _ROOT | {"name", "csr"}
_FILE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class PlannedAuthority:
    """A CA of the plan. With a `request` its key is elsewhere, and it gets a certificate only."""

    name: str
    subject: x509.Name
    spec: str
    validity: timedelta
    path_length: int | None
    confinement: Confinement
    request: ProvenRequest | None = None


@dataclass(frozen=True, slots=True)
class CeremonyPlan:
    """Who watches, what is made, and for how many days the root's last CRL is good (None: it is not locked)."""

    title: str
    witnesses: tuple[str, ...]
    root: PlannedAuthority
    subordinates: tuple[PlannedAuthority, ...]
    crl_days: int | None


def read_plan(plan: Mapping[str, Any]) -> CeremonyPlan:
    """The plan of a TOML document, its CSR files read into their places. Raises OrderRefused with the place of the fault."""
    _only(plan, _TOP, "the file")
    ceremony = _table(plan, "ceremony", _CEREMONY)
    witnesses = ceremony.get("witnesses")
    if not isinstance(witnesses, list) or not all(
        isinstance(each, str) and each.strip() for each in witnesses
    ):
        raise OrderRefused("[ceremony] witnesses must be a list of names")
    if not witnesses or len(set(witnesses)) != len(witnesses):
        raise OrderRefused("[ceremony] witnesses must name one person or more, each once")
    below = plan.get("subordinate", [])
    if not isinstance(below, list) or len(below) > MOST_SUBORDINATES:
        raise OrderRefused(f"[[subordinate]] may be there up to {MOST_SUBORDINATES} times")
    subordinates = tuple(
        _subordinate(each, f"[[subordinate]] {at}") for at, each in enumerate(below, start=1)
    )
    if len({each.name for each in subordinates}) != len(subordinates):
        raise OrderRefused("[[subordinate]] names must differ: they become names of files")
    crl_days = None
    if "lock" in plan:
        crl_days = _whole(_table(plan, "lock", frozenset({"crl_days"})), "crl_days", "[lock]", 90)
    root = _authority(_table(plan, "root", _ROOT), "[root]", "root", days=3650, path_length=None)
    return CeremonyPlan(
        _text(ceremony, "title", "[ceremony]"), tuple(witnesses), root, subordinates, crl_days
    )


def _subordinate(table: object, where: str) -> PlannedAuthority:
    if not isinstance(table, dict):
        raise OrderRefused(f"{where} must be a table")
    _only(table, _SUBORDINATE, where)
    name = _text(table, "name", where)
    if _FILE_NAME.fullmatch(name) is None or name in {"root", "transcript", "transcript-signer"}:
        raise OrderRefused(f"{where} name must be letters, digits, - and _: it becomes the name of a file")
    return _authority(table, where, name, days=1825, path_length=0)


def _authority(
    table: Mapping[str, Any], where: str, name: str, *, days: int, path_length: int | None
) -> PlannedAuthority:
    request = None
    try:
        if "csr" in table:
            request = prove(_text(table, "csr", where).encode())
    except BadCsr as error:
        raise OrderRefused(f"{where} csr: {error}") from error
    spec = table.get("key_algorithm", "EC_secp384r1" if request is None else request.spec)
    if spec not in CA_KEY_SPECS:
        raise OrderRefused(f"{where} key_algorithm is {spec!r}: use one of {', '.join(CA_KEY_SPECS)}")
    if request is not None and "key_algorithm" in table and spec != request.spec:
        raise OrderRefused(f"{where} key_algorithm is {spec}, and the key of its csr is {request.spec}")
    subject = _subject(table, where) if request is None or "subject" in table else request.request.subject
    if not list(subject):
        raise OrderRefused(f"{where} has no subject, and its csr has none")
    if path_length is not None or "path_length" in table:
        path_length = _whole(table, "path_length", where, path_length or 0)
    validity = timedelta(days=_whole(table, "days", where, days))
    return PlannedAuthority(name, subject, spec, validity, path_length, _confinement(table, where), request)


def _confinement(table: Mapping[str, Any], where: str) -> Confinement:
    def named(verb: str) -> tuple[tuple[str, str], ...]:
        found = []
        for kind in KINDS:
            texts = table.get(f"{verb}_{kind}", [])
            if not isinstance(texts, list) or not all(isinstance(each, str) for each in texts):
                raise OrderRefused(f"{where} {verb}_{kind} must be a list of texts")
            found += [(kind, each) for each in texts]
        return tuple(found)

    return Confinement(named("permit"), named("exclude"))


def _subject(table: Mapping[str, Any], where: str) -> x509.Name:
    text = _text(table, "subject", where)
    try:
        return x509.Name.from_rfc4514_string(text)
    except ValueError as error:
        raise OrderRefused(f"{where} subject is no name such as CN=Some Root,O=Example: {error}") from error


def _table(plan: Mapping[str, Any], name: str, known: frozenset[str]) -> Mapping[str, Any]:
    table = plan.get(name)
    if not isinstance(table, dict):
        raise OrderRefused(f"the file needs a table [{name}]")
    _only(table, known, f"[{name}]")
    return table


def _only(table: Mapping[str, Any], known: frozenset[str], where: str) -> None:
    """A word that nobody knows is a word that was meant: it is refused, not passed over."""
    unknown = sorted(table.keys() - known)
    if unknown:
        raise OrderRefused(
            f"{where} has nothing called {unknown[0][:60]!r}; it has {', '.join(sorted(known))}"
        )


def _text(table: Mapping[str, Any], name: str, where: str) -> str:
    value = table.get(name)
    if not isinstance(value, str) or not value.strip():
        raise OrderRefused(f"{where} {name} must be text")
    return value


def _whole(table: Mapping[str, Any], name: str, where: str, default: int) -> int:
    value = table.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST:
        raise OrderRefused(f"{where} {name} must be a whole number from 0 to {_MOST}")
    return value
