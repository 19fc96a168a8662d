"""What callers of Private CA see of an authority that an operator locked, or gave a new key."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from server.admin.commands import COMMANDS
from server.admin.protocol import CommandFailed
from tests.api.pca.acting import hierarchy, issue, request
from tests.support.world import World


def operate(world: World, command: str, **arguments: Any) -> dict[str, Any]:
    """As `keystead ca …` does, by the process that serves the admin socket."""
    return COMMANDS[command](world.scheduler, arguments, lambda _: None)


def refusal(call: Any, **asked: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**asked)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_locked_authority_is_disabled_and_nobody_enables_it_by_the_api(
    shared_world: World, pca: Any
) -> None:
    made = hierarchy(pca)
    operate(shared_world, "ca.lock", authority=made.root)
    told = pca.describe_certificate_authority(CertificateAuthorityArn=made.root)["CertificateAuthority"]
    assert told["Status"] == "DISABLED"
    update = pca.update_certificate_authority
    code, message = refusal(update, CertificateAuthorityArn=made.root, Status="ACTIVE")
    assert (code, "keystead ca unlock" in message) == ("InvalidStateException", True)
    code, _ = refusal(pca.get_certificate_authority_csr, CertificateAuthorityArn=made.root)
    assert code == "InvalidStateException"
    with pytest.raises(CommandFailed, match="locked"):
        operate(shared_world, "ca.lock", authority=made.root)
    operate(shared_world, "ca.unlock", authority=made.root, seconds=600, reason="a test")
    told = pca.describe_certificate_authority(CertificateAuthorityArn=made.root)["CertificateAuthority"]
    assert told["Status"] == "ACTIVE"
    assert issue(pca, made.root, request("a.example.test"))


def test_after_a_change_of_key_the_api_names_who_issues_instead(shared_world: World, pca: Any) -> None:
    made = hierarchy(pca)
    early = made.issue(request("early.example.test"))
    rotated = operate(shared_world, "ca.rotate-key", authority=made.root)
    told = pca.describe_certificate_authority(CertificateAuthorityArn=rotated["new"])["CertificateAuthority"]
    assert (told["Status"], told["Type"], told["UsageMode"]) == ("ACTIVE", "ROOT", "GENERAL_PURPOSE")
    asked = {"Csr": request("late.example.test"), "Validity": {"Type": "DAYS", "Value": 9}}
    code, message = refusal(
        pca.issue_certificate, CertificateAuthorityArn=made.root, SigningAlgorithm="SHA256WITHECDSA", **asked
    )
    assert (code, rotated["new"] in message) == ("InvalidStateException", True)
    assert issue(pca, rotated["new"], request("late.example.test"))
    assert made.certificate(early)


def test_an_operator_names_what_there_is(shared_world: World, pca: Any) -> None:
    made = hierarchy(pca)
    missing = made.root[:-12] + "000000000000"
    for command, arguments, says in (
        ("ca.lock", {"authority": "x"}, "`keystead ca show` prints them"),
        ("ca.lock", {}, "missing"),
        ("ca.lock", {"authority": missing}, "no certificate authority"),
        ("ca.lock", {"authority": made.root, "crl_days": "x"}, "must be a number"),
        ("ca.unlock", {"authority": made.root, "seconds": 600}, "reason is missing"),
        ("ca.subordinate", {"parent": made.root, "subject": "=A"}, "no subject such as"),
        ("ca.subordinate", {"parent": made.root, "subject": "A", "permit_dns": "x"}, "list of texts"),
        ("ca.rotate-key", {"authority": made.root, "key_algorithm": "RSA_1"}, "use one of"),
        ("ca.import.begin", {"certificate": "?"}, "must be base64"),
        ("ca.ceremony", {"plan": 1}, "needs its plan"),
        ("ca.show", {"account": "000000000000"}, "there is no account"),
    ):
        with pytest.raises(CommandFailed, match=says):
            operate(shared_world, command, **arguments)
