"""Makes the fixtures of this folder anew; run it from the root of the repository:

PYTHONPATH=. python certs-fixtures/attestation/generate.py
"""

from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.support.attestation import Enclave, issue

HERE = Path(__file__).parent
AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

if __name__ == "__main__":
    root = issue("keystead test attestation root", at=AT, days=36500)
    enclave = Enclave(root, AT)
    (HERE / "root.pem").write_bytes(root.certificate.public_bytes(Encoding.PEM))
    (HERE / "document.cbor").write_bytes(enclave.document())
    (HERE / "recipient.pem").write_bytes(
        enclave.recipient.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
