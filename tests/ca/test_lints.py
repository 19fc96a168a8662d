"""Each rule refuses its bad certificates and passes its good one; what is refused, no key signs."""

import json
from pathlib import Path

import pytest
from cryptography import x509

from ca import LintFailure
from ca.finishing import profile_of
from ca.lints import RULES, Broken, Case, lint
from ca.profiles import PROFILES
from ca.ticket import Ticket, TicketUsed

FOLDER = Path(__file__).parents[2] / "certs-fixtures" / "lints"
PROFILE_OF: dict[str, str] = json.loads((FOLDER / "profiles.json").read_text())
BAD = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.glob("*/bad-*.pem"))

# pyca tells of each oddity as it reads it; the rules must refuse what it still reads.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Parsed a serial number which wasn't positive"),
    pytest.mark.filterwarnings("ignore:Attribute's length must be"),
]


def case(path: str) -> Case:
    leaf, issuer, *above = x509.load_pem_x509_certificates((FOLDER / path).read_bytes())
    name = PROFILE_OF[path]
    return Case(leaf, issuer, PROFILES.get(name) or profile_of(name, leaf), tuple(above))


def test_every_rule_has_a_module_a_good_and_a_bad_fixture() -> None:
    modules = {path.stem for path in (Path(__file__).parents[2] / "ca" / "lints").glob("*.py")} - {
        "__init__",
        "case",
    }
    assert (
        set(RULES)
        == modules
        == {path.split("/", maxsplit=1)[0] for path in PROFILE_OF}
        == {path.split("/")[0] for path in BAD}
    )


@pytest.mark.parametrize("rule", list(RULES))
def test_a_good_certificate_breaks_no_rule(rule: str) -> None:
    lint(case(f"{rule}/good.pem"))


@pytest.mark.parametrize("path", BAD)
def test_a_bad_certificate_breaks_its_own_rule(path: str) -> None:
    with pytest.raises(Broken):
        RULES[path.split("/", maxsplit=1)[0]](case(path))


@pytest.mark.parametrize("path", BAD)
def test_a_bad_certificate_is_refused_for_its_rule_and_gets_no_ticket(path: str) -> None:
    bad = case(path)
    with pytest.raises(LintFailure) as caught:
        Ticket(bad.certificate, bad.issuer, bad.profile, bad.above)
    assert caught.value.rule == path.split("/", maxsplit=1)[0]


def test_a_ticket_is_used_once() -> None:
    good = case("version/good.pem")
    ticket = Ticket(good.certificate, good.issuer, good.profile)
    assert ticket.redeem() == good.certificate.tbs_certificate_bytes
    with pytest.raises(TicketUsed):
        ticket.redeem()
