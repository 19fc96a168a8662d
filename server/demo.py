"""`make demo`: the main job on this machine, from nothing to a certificate that is proven, verified and renewed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from foundation.egress import Egress
from server.chance import entropy
from validation import Publisher, UpdateZone

T = TypeVar("T")

ZONE = "example.test"
DATA = Path("demo-data")
KEYSTEAD = [sys.executable, "-m", "server.cli"]
REGION = "us-east-1"
# A certificate lives 198 days and is renewed from 45 days before its end.
ADVANCE = "160d"


class DemoFailed(Exception):
    """A step did not come out as it must; the message says which."""


@dataclass
class Demo:
    """The processes and files of one run."""

    files: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)
    dns: tuple[str, int] = ("127.0.0.1", 0)
    url: str = ""
    first: dict[str, str] = field(default_factory=dict)
    token: str = ""

    def run(self) -> None:
        """Every step, in order. Raises `DemoFailed`."""
        self.start_dns()
        self.start_service()
        authorities = self.make_authorities()
        self.issue_from_private_ca(authorities)
        by_csr = self.request_over_http()
        by_acm = self.request_over_acm()
        self.advance()
        self.look_at_renewal(by_csr)
        self.look_at_renewal_over_acm(by_acm)
        self.verify_trail()

    def start_dns(self) -> None:
        step(f"An authoritative DNS server for {ZONE}")
        line = self._start("dns", "--listen", "127.0.0.1:0", "--zone", ZONE, until="answering on ")
        host, _, port = line.split("answering on ")[1].split()[0].rpartition(":")
        self.dns = (host, int(port))
        say(f"keystead dns answers on {host}:{port}; it takes dynamic updates (RFC 2136)")

    def start_service(self) -> None:
        step("The service, on an empty directory, with a clock that can be moved")
        begun = time.monotonic()
        listen = ("--listen", "127.0.0.1:0", "--tls-listen", "127.0.0.1:0", "--test-clock")
        resolver = f"{self.dns[0]}:{self.dns[1]}"
        line = self._start(
            "serve", "--data", str(DATA), *listen, "--resolver", resolver, until="keystead: ready "
        )
        self.url = line.split("ready ")[1].split()[0]
        say(
            f"ready at {self.url} after {time.monotonic() - begun:.1f} s; first account {self.first['ACCOUNT_ID']}"
        )

    def make_authorities(self) -> dict[str, str]:
        step("A root and a subordinate CA, their keys in the key core")
        made = pairs(self.keystead("ca", "init", "--env"))
        self.token = pairs(self.keystead("token", "create", "--env"))["TOKEN"]
        for name, value in made.items():
            say(f"{name}={value}")
        return made

    def issue_from_private_ca(self, authorities: Mapping[str, str]) -> None:
        step("A certificate of that private CA, for a CSR that openssl made: issued at once")
        csr = self._csr("db.internal.test")
        asked = {"csr": csr, "certificate_authority_arn": authorities["SUBORDINATE_CA_ARN"]}
        certificate = self._until_issued(self._api("POST", "/v1/certificates", asked)["id"])
        self._verify(certificate["certificate"], certificate["chain"], Path(authorities["ROOT_PEM"]))

    def request_over_http(self) -> dict[str, Any]:
        step("A certificate over the HTTP API, proven by a CNAME in the DNS")
        asked: dict[str, Any] = self._api("POST", "/v1/certificates", {"csr": self._csr(f"www.{ZONE}")})
        say(f"POST /v1/certificates → {asked['status']}; publish this:")
        for domain in asked["domains"]:
            self._publish(domain["record"]["name"], domain["record"]["value"])
        issued = self._until_issued(asked["id"])
        self._verify(issued["certificate"], issued["chain"], self._roots(), show_chain=True)
        return issued

    def request_over_acm(self) -> dict[str, Any]:
        step(
            "A certificate over ACM's own API, with an unmodified AWS client: apex and wildcard share one CNAME"
        )
        acm = self._acm()
        arn = acm.request_certificate(
            DomainName=ZONE, SubjectAlternativeNames=[f"*.{ZONE}"], ValidationMethod="DNS"
        )["CertificateArn"]
        say(f"RequestCertificate → {arn}")
        described = acm.describe_certificate(CertificateArn=arn)["Certificate"]
        records = {
            (option["ResourceRecord"]["Name"], option["ResourceRecord"]["Value"])
            for option in described["DomainValidationOptions"]
        }
        for name, value in records:
            self._publish(name, value)

        def issued() -> dict[str, Any] | None:
            found: dict[str, Any] = acm.describe_certificate(CertificateArn=arn)["Certificate"]
            return found if found["Status"] == "ISSUED" else None

        certificate = wait("ACM to issue", issued)
        bodies = acm.get_certificate(CertificateArn=arn)
        say(f"ISSUED, serial {certificate['Serial']}")
        self._verify(bodies["Certificate"], bodies["CertificateChain"], self._roots())
        return certificate

    def advance(self) -> None:
        step(f"Time moves on by {ADVANCE}: what falls due on the way happens at its moment")
        done = self.keystead("clock", "advance", ADVANCE, progress=True).splitlines()
        lists = [line for line in done if " ca.crl " in line]
        say(f"{len(lists)} revocation lists published, the last: {lists[-1]}")
        for line in done:
            if line not in lists:
                say(line)

    def look_at_renewal(self, before: Mapping[str, Any]) -> None:
        step("The certificate by CSR was renewed: same id and key, new serial")
        after = self._api("GET", f"/v1/certificates/{before['id']}")
        say(f"serial {before['serial']} → {after['serial']}, now until {after['not_after']}")
        if after["serial"] == before["serial"]:
            raise DemoFailed("the certificate was not renewed")
        self._verify(after["certificate"], after["chain"], self._roots(), at=self._service_time(after))

    def look_at_renewal_over_acm(self, before: Mapping[str, Any]) -> None:
        step("So was the one by ACM: same ARN, new key and serial")
        acm = self._acm()
        after = acm.describe_certificate(CertificateArn=before["CertificateArn"])["Certificate"]
        say(f"serial {before['Serial']} → {after['Serial']}, now until {after['NotAfter']}")
        if after["Serial"] == before["Serial"]:
            raise DemoFailed("the certificate was not renewed")
        bodies = acm.get_certificate(CertificateArn=before["CertificateArn"])
        at = int(after["NotBefore"].timestamp()) + 7200
        self._verify(bodies["Certificate"], bodies["CertificateChain"], self._roots(), at=at)

    def verify_trail(self) -> None:
        step("The audit trail of all that")
        say(self.keystead("trail", "verify").strip())

    def end(self) -> None:
        """Ends what was started, the service before its DNS."""
        for process in reversed(self.started):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def keystead(self, *arguments: str, progress: bool = False) -> str:
        """One command on the demo's directory; its standard output, with its progress before it where asked."""
        ran = subprocess.run(  # noqa: S603  # our own interpreter and module
            [*KEYSTEAD, *arguments, "--data", str(DATA)],
            capture_output=True,
            text=True,
            check=False,
        )
        if ran.returncode != 0:
            raise DemoFailed(f"keystead {' '.join(arguments)}: {ran.stderr}")
        return ran.stderr + ran.stdout if progress else ran.stdout

    def _start(self, *arguments: str, until: str) -> str:
        """Starts a command that stays; the line of its output that says it is at work."""
        with (self.files / f"{arguments[0]}.log").open("w") as log:
            process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
                [*KEYSTEAD, *arguments], stdout=subprocess.PIPE, stderr=log, text=True
            )
        self.started.append(process)
        assert process.stdout is not None
        for line in process.stdout:
            self.first |= pairs(line)
            if until in line:
                return line
        raise DemoFailed(
            f"keystead {arguments[0]} ended:\n{(self.files / f'{arguments[0]}.log').read_text()}"
        )

    def _csr(self, name: str) -> str:
        key, request = self.files / f"{name}.key", self.files / f"{name}.csr"
        openssl(
            "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-keyout", str(key), "-out", str(request), "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
        )  # fmt: skip
        return request.read_text()

    def _publish(self, name: str, value: str) -> None:
        Publisher([UpdateZone(ZONE, self.dns)], Egress(), entropy).publish(name, value)
        say(f"{name} CNAME {value}")

    def _until_issued(self, certificate_id: str) -> dict[str, Any]:
        def issued() -> dict[str, Any] | None:
            found: dict[str, Any] = self._api("GET", f"/v1/certificates/{certificate_id}")
            if found["status"] not in {"PENDING_VALIDATION", "ISSUED"}:
                raise DemoFailed(f"{found['status']}: {found['failure_reason']} {found['failure_detail']}")
            return found if found["status"] == "ISSUED" else None

        certificate = wait("issuance", issued)
        say(f"ISSUED, serial {certificate['serial']}")
        return certificate

    def _verify(
        self, leaf: str, chain: str, roots: Path, *, at: int | None = None, show_chain: bool = False
    ) -> None:
        (self.files / "leaf.pem").write_text(leaf)
        (self.files / "chain.pem").write_text(chain)
        moment = [] if at is None else ["-attime", str(at)]
        checked = openssl(
            "verify", *moment, "-purpose", "sslserver", "-x509_strict", "-show_chain",
            "-CAfile", str(roots), "-untrusted", str(self.files / "chain.pem"), str(self.files / "leaf.pem"),
        )  # fmt: skip
        lines = checked.strip().splitlines()
        say(f"openssl verify: {lines[0].rsplit('/', 1)[-1]}")
        for line in lines[1:] if show_chain else ():
            say(f"  {line}")

    def _roots(self) -> Path:
        path = self.files / "roots.pem"
        path.write_text(self.keystead("roots"))
        return path

    @staticmethod
    def _service_time(certificate: Mapping[str, Any]) -> int:
        from datetime import datetime

        return int(datetime.fromisoformat(certificate["not_before"]).timestamp()) + 7200

    def _api(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310  # our own server on loopback
            self.url + path,
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  # as above
                found: dict[str, Any] = json.load(answer)
                return found
        except urllib.error.HTTPError as error:
            raise DemoFailed(f"{method} {path}: {error.code} {error.read().decode()}") from error

    def _acm(self) -> Any:
        import botocore.session

        return botocore.session.get_session().create_client(
            "acm",
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id=self.first["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.first["AWS_SECRET_ACCESS_KEY"],
        )


def openssl(*arguments: str) -> str:
    """Runs the system's openssl; its output. Raises `DemoFailed` with what it said."""
    ran = subprocess.run(  # noqa: S603  # arguments of our own making
        ["openssl", *arguments],  # noqa: S607  # the system's openssl, wherever it is
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode != 0:
        raise DemoFailed(f"openssl {arguments[0]}: {ran.stdout}{ran.stderr}")
    return ran.stdout


def wait(what: str, look: Callable[[], T | None], within: float = 30.0) -> T:
    """What `look` finds, as soon as it finds something."""
    ends = time.monotonic() + within
    while (found := look()) is None:
        if time.monotonic() > ends:
            raise DemoFailed(f"{what} took longer than {within:.0f} s")
        time.sleep(0.1)
    return found


def pairs(text: str) -> dict[str, str]:
    """KEY=value lines."""
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line and " " not in line)


def step(text: str) -> None:
    say(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n== {text}")


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # a demonstration speaks to people


def fresh() -> None:
    """An empty place for the data; only what an earlier demo made is removed."""
    if DATA.exists():
        if not (DATA / "serve.lock").exists():
            raise DemoFailed(f"{DATA.absolute()} is not an earlier demo's: move it away")
        shutil.rmtree(DATA)


def main() -> int:
    """Exit code 0 when every step came out as it must."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is ended
    begun = time.monotonic()
    for name in [name for name in os.environ if name.startswith("KEYSTEAD_")]:
        del os.environ[name]  # the demo is the same for everybody
    with tempfile.TemporaryDirectory(prefix="keystead-demo-") as files:
        demo = Demo(Path(files))
        try:
            fresh()
            demo.run()
        except DemoFailed as failure:
            say(f"\nThe demo failed: {failure}")
            log = Path(files) / "serve.log"
            say(log.read_text()[-4000:] if log.exists() else "")
            return 1
        finally:
            demo.end()
    say(f"\nDone in {time.monotonic() - begun:.0f} s. The data is in {DATA.absolute()}; serve it again with")
    say(f"  keystead serve --data {DATA} --test-clock")
    return 0


if __name__ == "__main__":
    sys.exit(main())
