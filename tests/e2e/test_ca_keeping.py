"""The operator's commands on authorities, with a server and without one: import, lock, rotate, cross-sign, ceremony, show."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.served import Served, keystead, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(120)]

CA_EXTENSIONS = "-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server with an account and its first hierarchy, for all of these tests."""
    one = Served(tmp_path_factory.mktemp("keeping") / "data")
    one.start()
    one.command("account", "create")
    yield one
    one.end()


@pytest.fixture(scope="module")
def hierarchy(served: Served) -> dict[str, str]:
    return served.command("ca", "init")


@pytest.fixture
def stopped(tmp_path: Path) -> Served:
    """A directory that nobody serves, with an account."""
    one = Served(tmp_path / "offline")
    one.start()
    one.command("account", "create")
    one.stop()
    return one


def openssl(command: str, directory: Path, *more: str) -> str:
    ran = subprocess.run(
        ["openssl", *command.split(), *more],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def old_root(directory: Path, name: str = "Old Root") -> None:
    """As people made them with openssl: ca.pem, and ca.key under the passphrase in the file `pass`."""
    (directory / "pass").write_text("open-sesame\n")
    command = (
        f"req -x509 -newkey rsa:2048 -keyout ca.key -passout file:pass -out ca.pem -days 400 {CA_EXTENSIONS}"
    )
    openssl(command, directory, "-subj", f"/CN={name}")


def refused(served: Served, *arguments: str) -> str:
    ran = keystead(*arguments, "--data", str(served.data), check=False)
    assert ran.returncode == 1, ran.stdout
    assert "Traceback" not in ran.stderr
    return ran.stderr


def issued(served: Served, ca_arn: str, name: str, key: str = "RSA_2048") -> tuple[str, str]:
    """A certificate of that authority by /v1, and its chain; ACM wants keys of the family of the CA's."""
    token = served.command("token", "create")["TOKEN"]
    body = {"names": [name], "certificate_authority_arn": ca_arn, "key_algorithm": key}
    status, answer = served.api("POST", "/v1/certificates", token, body)
    assert status == 201, answer
    shown = answer

    def ready() -> bool:
        nonlocal shown
        shown = served.api("GET", f"/v1/certificates/{answer['id']}", token)[1]
        return bool(shown["status"] != "PENDING_VALIDATION")

    wait_for(ready, 30)
    assert shown["status"] == "ISSUED", shown
    return shown["certificate"], shown["chain"]


def verify(directory: Path, trusted: str, untrusted: Sequence[str], leaf: str) -> None:
    for name, text in (("trusted", trusted), ("untrusted", "".join(untrusted)), ("leaf", leaf)):
        (directory / f"{name}.pem").write_text(text)
    more = ["-untrusted", "untrusted.pem"] if untrusted else []
    openssl("verify -x509_strict -no-CAfile -no-CApath -trusted trusted.pem", directory, *more, "leaf.pem")


def fetched(served: Served, url: str) -> str:
    status, body = served.get(url.split(str(served.port), 1)[1])
    assert status == 200
    return body.decode()


def test_a_ca_of_openssl_goes_on_with_a_server(
    served: Served, hierarchy: dict[str, str], tmp_path: Path
) -> None:
    assert hierarchy
    old_root(tmp_path)
    files = ["--certificate", str(tmp_path / "ca.pem"), "--key", str(tmp_path / "ca.key")]
    assert "--no-crl" in refused(served, "ca", "import", *files)
    (tmp_path / "wrong").write_text("wrong\n")
    wrong = [*files, "--no-crl", "--passphrase-file", str(tmp_path / "wrong")]
    assert "passphrase" in refused(served, "ca", "import", *wrong)
    made = served.command("ca", "import", *files, "--no-crl", "--passphrase-file", str(tmp_path / "pass"))
    certificate, _ = issued(served, made["CA_ARN"], "www.example.test")
    verify(tmp_path, (tmp_path / "ca.pem").read_text(), [], certificate)
    wait_for(lambda: served.get(made["CRL_URL"].split(str(served.port), 1)[1])[0] == 200, 20)
    key = (tmp_path / "ca.key").read_text().splitlines()[3]
    assert key not in served.log()


def test_a_ca_of_pkcs12_with_its_crl_comes_in_without_a_server(stopped: Served, tmp_path: Path) -> None:
    old_root(tmp_path)
    openssl(
        "pkcs12 -export -inkey ca.key -in ca.pem -passin pass:open-sesame -passout pass:open-sesame -out ca.p12",
        tmp_path,
    )
    (tmp_path / "index.txt").write_text("R\t370101000000Z\t260101000000Z\t1234\tunknown\t/CN=Lost\n")
    (tmp_path / "crlnumber").write_text("2A\n")
    (tmp_path / "ca.cnf").write_text(
        "[ca]\ndefault_ca=x\n[x]\ndatabase=index.txt\ncrlnumber=crlnumber\ndefault_md=sha256\ndefault_crl_days=30\n"
    )
    openssl("ca -config ca.cnf -gencrl -keyfile ca.key -cert ca.pem -passin file:pass -out ca.crl", tmp_path)
    made = stopped.command(
        *("ca", "import", "--pkcs12", str(tmp_path / "ca.p12"), "--crl", str(tmp_path / "ca.crl")),
        *("--passphrase-file", str(tmp_path / "pass")),
    )
    assert made["CA_KIND"] == "ROOT"
    shown = keystead("ca", "show", "--data", str(stopped.data)).stdout
    assert "CN=Old Root" in shown
    assert "(brought in)" in shown
    stopped.start()
    try:
        path = made["CRL_URL"].split("/pki/", 1)[1]
        wait_for(lambda: stopped.get(f"/pki/{path}")[0] == 200, 20)
        (tmp_path / "new.crl").write_bytes(stopped.get(f"/pki/{path}")[1])
        text = openssl("crl -in new.crl -inform DER -noout -text -CAfile ca.pem", tmp_path)
        assert "1234" in text
        assert "X509v3 CRL Number: \n                43" in text
    finally:
        stopped.end()


def test_a_subordinate_for_some_names_in_one_command(
    served: Served, hierarchy: dict[str, str], tmp_path: Path
) -> None:
    made = served.command(
        *("ca", "subordinate", "--parent", hierarchy["ROOT_CA_ARN"], "--subject", "Lab CA"),
        *(
            "--permit-dns",
            "lab.example.test",
            "--exclude-dns",
            "hr.lab.example.test",
            "--key-algorithm",
            "RSA_2048",
        ),
    )
    certificate, chain = issued(served, made["CA_ARN"], "a.lab.example.test")
    verify(tmp_path, Path(hierarchy["ROOT_PEM"]).read_text(), [chain], certificate)
    (tmp_path / "chain.pem").write_text(chain)
    text = openssl("x509 -in chain.pem -noout -text", tmp_path)
    for line in (
        "Name Constraints: critical",
        "DNS:lab.example.test",
        "IP:0.0.0.0/0.0.0.0",
        "Path Length Constraint",
    ):
        assert line.replace("Path Length Constraint", "pathlen:0") in text
    assert "wildcard" in refused(
        served,
        "ca",
        "subordinate",
        "--parent",
        hierarchy["ROOT_CA_ARN"],
        "--subject",
        "x",
        "--permit-dns",
        "*.x",
    )


def test_a_root_gets_a_new_key_and_both_chains_are_served(served: Served, tmp_path: Path) -> None:
    old_root(tmp_path, "Root to be rotated")
    old = served.command(
        *("ca", "import", "--certificate", str(tmp_path / "ca.pem"), "--key", str(tmp_path / "ca.key")),
        *("--no-crl", "--passphrase-file", str(tmp_path / "pass")),
    )["CA_ARN"]
    early, _ = issued(served, old, "early.example.test")
    made = served.command("ca", "rotate-key", "--authority", old)
    late, _ = issued(served, old, "late.example.test")  # asked of the old ARN
    new_root = fetched(served, f":{served.port}/pki/{made['NEW_CA_ARN'].rpartition('/')[2]}.pem")
    old_root_pem = (tmp_path / "ca.pem").read_text()
    verify(tmp_path, old_root_pem, [], early)
    verify(tmp_path, new_root, [fetched(served, made["OLD_WITH_NEW"])], early)
    verify(tmp_path, new_root, [], late)
    verify(tmp_path, old_root_pem, [fetched(served, made["NEW_WITH_OLD"])], late)
    assert "its key was changed" in refused(served, "ca", "rotate-key", "--authority", old)


def test_another_root_cross_signs(served: Served, hierarchy: dict[str, str], tmp_path: Path) -> None:
    old_root(tmp_path, "Partner Root")
    other = served.command(
        *("ca", "import", "--certificate", str(tmp_path / "ca.pem"), "--key", str(tmp_path / "ca.key")),
        *("--no-crl", "--passphrase-file", str(tmp_path / "pass")),
    )["CA_ARN"]
    subordinate = hierarchy["SUBORDINATE_CA_ARN"]
    made = served.command("ca", "cross-sign", "--authority", subordinate, "--by", other)
    certificate, _ = issued(served, subordinate, "cross.example.test", "EC_prime256v1")
    verify(tmp_path, (tmp_path / "ca.pem").read_text(), [fetched(served, made["CROSS_URL"])], certificate)


def test_a_root_is_locked_opened_for_a_while_and_locked_again(served: Served, tmp_path: Path) -> None:
    old_root(tmp_path, "Offline Root")
    arn = served.command(
        *("ca", "import", "--certificate", str(tmp_path / "ca.pem"), "--key", str(tmp_path / "ca.key")),
        *("--no-crl", "--passphrase-file", str(tmp_path / "pass")),
    )["CA_ARN"]
    below = ("ca", "subordinate", "--parent", arn, "--subject", "Below", "--any-ip")
    assert served.command("ca", "lock", "--authority", arn, "--crl-days", "120")["CA_STATUS"] == "DISABLED"
    assert "DISABLED" in refused(served, *below)
    assert "length of time" in refused(
        served, "ca", "unlock", "--authority", arn, "--for", "soon", "--reason", "x"
    )
    opened = served.command(
        "ca", "unlock", "--authority", arn, "--for", "1m", "--reason", "make the issuing CA"
    )
    assert opened["UNLOCKED_UNTIL"].endswith("Z")
    assert served.command(*below)["CA_ARN"]
    served.command("ca", "lock", "--authority", arn)
    assert "DISABLED" in refused(served, *below)
    trail = "".join(path.read_text("utf-8", "replace") for path in (served.data / "trail").glob("*.trail"))
    for record in ("LockAuthority", "UnlockAuthority", "make the issuing CA", '"op":"Unlock"'):
        assert record in trail


PLAN = """
[ceremony]
title = "Example Root R1"
witnesses = ["Ada Lovelace", "Grace Hopper"]

[root]
subject = "CN=Example Root R1,O=Example"
days = 7300
path_length = 1

[[subordinate]]
name = "factory"
csr = "factory.csr"
days = 900
permit_dns = ["factory.example.test"]

[lock]
crl_days = 180
"""


@pytest.mark.parametrize("online", [True, False], ids=["with a server", "without one"])
def test_a_ceremony_by_a_reviewed_plan(served: Served, stopped: Served, tmp_path: Path, online: bool) -> None:
    where = served if online else stopped
    openssl(
        "req -new -newkey rsa:2048 -nodes -keyout factory.key -out factory.csr",
        tmp_path,
        "-subj",
        "/CN=Factory CA",
    )
    (tmp_path / "root.toml").write_text(PLAN)
    plan, out = ("ca", "ceremony", "--plan", str(tmp_path / "root.toml")), tmp_path / "papers"
    digest = where.command(*plan, "--dry-run")["PLAN_SHA256"]
    assert digest == openssl("dgst -sha256 -r", tmp_path, str(_joined(tmp_path))).split()[0]
    assert "--reviewed" in refused(where, *plan)
    assert "not the one that was reviewed" in refused(where, *plan, "--reviewed", "0" * 64, "--out", str(out))
    made = where.command(*plan, "--reviewed", digest, "--out", str(out), "--yes")
    verify(tmp_path, (out / "root.pem").read_text(), [], (out / "factory.pem").read_text())
    verify(tmp_path, (out / "root.pem").read_text(), [], (out / "transcript-signer.pem").read_text())
    (tmp_path / "signer.pub").write_text(
        openssl("x509 -in papers/transcript-signer.pem -pubkey -noout", tmp_path)
    )
    signed = "dgst -sha256 -verify signer.pub -signature papers/transcript.sig papers/transcript.json"
    assert "Verified OK" in openssl(signed, tmp_path)
    assert "not empty" in refused(where, *plan, "--reviewed", digest, "--out", str(out), "--yes")
    trail = "".join(path.read_text("utf-8", "replace") for path in (where.data / "trail").glob("*.trail"))
    assert made["TRANSCRIPT_SHA256"] in trail
    shown = json.loads(keystead("ca", "show", "--json", "--data", str(where.data)).stdout)
    (root,) = [each for each in shown["authorities"] if "Example Root R1" in each["subject"]]
    assert (root["locked"], root["crl"]["freshness"]) == ("locked", "fresh")


def _joined(directory: Path) -> Path:
    whole = directory / "reviewed"
    whole.write_bytes((directory / "root.toml").read_bytes() + (directory / "factory.csr").read_bytes())
    return whole


def test_the_hierarchy_is_drawn_and_told(served: Served, hierarchy: dict[str, str]) -> None:
    shown = keystead("ca", "show", "--data", str(served.data)).stdout
    assert hierarchy["ROOT_CA_ARN"] in shown
    assert "└─ CN=keystead" in shown or "├─ CN=keystead" in shown
    assert "days left" in shown
    told = json.loads(keystead("ca", "show", "--all", "--json", "--data", str(served.data)).stdout)
    (root,) = [each for each in told["authorities"] if each["arn"] == hierarchy["ROOT_CA_ARN"]]
    assert hierarchy["SUBORDINATE_CA_ARN"] in [each["arn"] for each in root["below"]]
