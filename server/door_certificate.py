"""The HTTPS door's certificate, and the small authority that issues it: on the wall clock, apart from every other CA.

DIR/tls/authority.json holds the authority: its certificate and its key's token (sealed by the core: no private byte).
DIR/roots/door.pem is the certificate alone, for clients; DIR/tls/door.pem and door.key are what the HTTPS workers load. The door's own key is the one private key
outside the core (ARCHITECTURE 3), in a file of mode 0600, used for nothing else.
"""

import base64
import ipaddress
import json
import os
import socket
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from kms.hsm import CoreClient, KeyLabel

Entropy = Callable[[int], bytes]

AUTHORITY_DAYS = 3650
DOOR_DAYS = 90
# Clients' clocks may be behind ours.
BACKDATED = timedelta(hours=1)


class DoorCertificate:
    """Where the files are, and when the next certificate is due. Needs no core, so that the supervisor can ask."""

    def __init__(self, data: Path) -> None:
        self.certificate = data / "tls" / "door.pem"
        self.key = data / "tls" / "door.key"
        self.root = data / "roots" / "door.pem"
        self.authority = data / "tls" / "authority.json"

    def due(self, names: Sequence[str], wall: datetime) -> bool:
        """Whether a new one is needed: none there, two thirds of its life gone, or other names wanted."""
        try:
            chain = x509.load_pem_x509_certificates(self.certificate.read_bytes())
            root = x509.load_pem_x509_certificate(self.root.read_bytes())
            key = serialization.load_pem_private_key(self.key.read_bytes(), None)
            leaf = chain[0]
            leaf.verify_directly_issued_by(root)
        except (OSError, ValueError, InvalidSignature):
            return True
        life = leaf.not_valid_after_utc - leaf.not_valid_before_utc
        held = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return (
            key.public_key() != leaf.public_key()
            or wall >= leaf.not_valid_before_utc + life * 2 / 3
            or set(held) != set(_alternative_names(names))
        )

    def renew(self, core: "CoreClient", names: Sequence[str], wall: datetime, entropy: Entropy) -> datetime:
        """Issues a certificate for a new key, by an authority made at first need, and puts both in place; → its end.

        Each file changes by rename; a worker that starts in between finds a pair that does not match, ends, and is
        started again. Raises the core's errors.
        """
        from kms.hsm import Asker, signing_handle

        label, token, public, root = self._authority(core, wall, entropy)
        _place(self.root, _pem(root))
        key = ec.generate_private_key(ec.SECP256R1())
        not_after = min(wall + timedelta(days=DOOR_DAYS), root.not_valid_after_utc)
        names_held = _alternative_names(names)
        builder = (
            _builder(root.subject, key.public_key(), wall, not_after, entropy)
            .subject_name(x509.Name([]))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage("digital_signature"), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.SubjectAlternativeName(names_held), critical=True
            )  # RFC 5280 4.1.2.6: no subject
            .add_extension(_authority_key_id(root), critical=False)
        )
        signer = signing_handle(core, token, label, Asker("door", "keystead"), public, "certificate")
        leaf = builder.sign(signer, hashes.SHA256())
        _place(
            self.key,
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )
        _place(self.certificate, _pem(leaf))
        return leaf.not_valid_after_utc

    def _authority(
        self, core: "CoreClient", wall: datetime, entropy: Entropy
    ) -> "tuple[KeyLabel, bytes, bytes, x509.Certificate]":
        """The authority, made anew where there is none or where it would end before a certificate of full length."""
        from kms.hsm import KeyLabel

        try:
            kept = json.loads(self.authority.read_bytes())
            root = x509.load_pem_x509_certificate(kept["certificate"].encode())
            if root.not_valid_after_utc >= wall + timedelta(days=DOOR_DAYS):
                label = KeyLabel("door", "keystead", "global", kept["key_id"], 1, "EC_prime256v1")
                return label, base64.b64decode(kept["token"]), base64.b64decode(kept["public"]), root
        except FileNotFoundError:
            pass
        return self._new_authority(core, wall, entropy)

    def _new_authority(
        self, core: "CoreClient", wall: datetime, entropy: Entropy
    ) -> "tuple[KeyLabel, bytes, bytes, x509.Certificate]":
        from kms.hsm import Asker, KeyLabel, signing_handle

        label = KeyLabel("door", "keystead", "global", f"door-{entropy(8).hex()}", 1, "EC_prime256v1")
        asker = Asker("door", "keystead")
        made = core.generate_key(label, asker)
        signer = signing_handle(core, made.token, label, asker, made.public_key, "ca-certificate")
        public = serialization.load_der_public_key(made.public_key)
        assert isinstance(public, ec.EllipticCurvePublicKey)
        # The key's id is in the name: two authorities of one host must not share a subject.
        subject = x509.Name(
            [x509.NameAttribute(NameOID.COMMON_NAME, f"keystead HTTPS door {label.key_id[-8:]}")]
        )
        root = (
            _builder(subject, public, wall, wall + timedelta(days=AUTHORITY_DAYS), entropy)
            .subject_name(subject)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
            .sign(signer, hashes.SHA256())
        )
        kept = {
            "key_id": label.key_id,
            "token": base64.b64encode(made.token).decode(),
            "public": base64.b64encode(made.public_key).decode(),
            "certificate": _pem(root).decode(),
        }
        _place(self.authority, json.dumps(kept).encode())
        return label, made.token, made.public_key, root


def door_names(extra: Sequence[str]) -> tuple[str, ...]:
    """What the certificate is for: this machine by all its usual names, and the setting `tls_names`."""
    return tuple(dict.fromkeys(("localhost", "127.0.0.1", "::1", socket.gethostname().lower(), *extra)))


def _alternative_names(names: Sequence[str]) -> list[x509.GeneralName]:
    found: list[x509.GeneralName] = []
    for name in names:
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            found.append(x509.DNSName(name))
    return found


def _builder(
    issuer: x509.Name, key: ec.EllipticCurvePublicKey, wall: datetime, not_after: datetime, entropy: Entropy
) -> x509.CertificateBuilder:
    # 1 fixed non-zero byte and 15 random ones: positive, fixed length, 120 bits (SECURITY 2.10)
    serial = int.from_bytes(b"\x01" + entropy(15))
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(serial)
        .not_valid_before(wall - BACKDATED)
        .not_valid_after(not_after)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*set_bits: str) -> x509.KeyUsage:
    bits = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    return x509.KeyUsage(**(bits | dict.fromkeys(set_bits, True)))


def _authority_key_id(root: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    subject = root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(subject)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _place(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all, mode 0600 from its first moment."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(file, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(path)
