"""pkilint, an independent linter, finds neither an error nor a warning in answers and in their signers."""

from datetime import timedelta

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from tests.ca.independent_linter import certificate_findings, chain_findings, ocsp_findings
from tests.ca.ocsp.conftest import Asking, by_serial, joined


def test_answers_and_signers_are_clean(shared_client: Asking) -> None:
    good, revoked, plain = (shared_client.leaf() for _ in range(3))
    shared_client.revoke(revoked, "SUPERSEDED")
    shared_client.revoke(plain, "UNSPECIFIED")
    responder = shared_client.responder
    several = joined(by_serial(shared_client, good.serial_number), by_serial(shared_client, 7))
    answers = [
        shared_client.answer(good),
        shared_client.answer(good, nonce=bytes(32)),
        shared_client.answer(good, algorithm=hashes.SHA256()),
        shared_client.answer(revoked),
        shared_client.answer(plain),
        responder.answer(shared_client.authority.id, by_serial(shared_client, 7)),
        responder.answer(shared_client.authority.id, several),
    ]
    for answer in answers:
        assert ocsp_findings(answer.body) == []
    signer = shared_client.ask(good).certificates[0].public_bytes(Encoding.PEM).decode()
    assert certificate_findings(signer) == []
    assert chain_findings(shared_client.authority.certificate_pem, signer) == []


def test_an_answer_about_an_expired_certificate_is_clean(client: Asking) -> None:
    leaf = client.leaf(client.world.issue(client.authority.arn, valid_for=timedelta(days=1)))
    client.world.time += timedelta(days=2)
    assert ocsp_findings(client.answer(leaf).body) == []
