"""Keys by handle: subclasses of pyca's private-key interfaces that sign through the core and refuse all else.

pyca's certificate, CRL, CSR and OCSP builders accept them, so `ca` is written in plain pyca and never sees a key.
"""

from typing import Any, NoReturn, Self

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.asymmetric import utils as asymmetric
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.utils import Buffer

from kms.hsm.algorithms import algorithm_named
from kms.hsm.client import CoreClient
from kms.hsm.errors import KeyRefused
from kms.hsm.labels import Asker, KeyLabel, Kind


class _Handle:
    """What the handles share: where to sign, and the refusal of everything but that."""

    def __init__(self, client: CoreClient, token: bytes, label: KeyLabel, asker: Asker, kind: Kind) -> None:
        self._client = client
        self._token = token
        self._label = label
        self._asker = asker
        self._kind: Kind = kind

    def _sign(self, family: str, hash_name: str, data: Buffer) -> bytes:
        name = algorithm_named(family, hash_name)
        return self._client.sign(self._token, self._label, self._asker, name, bytes(data), kind=self._kind)

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise KeyRefused("this key lives in the key core: its handle signs and does nothing else")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        self._refuse()

    exchange = decrypt = private_numbers = private_bytes = private_bytes_raw = _refuse


class EllipticCurveHandle(_Handle, ec.EllipticCurvePrivateKey):
    """An ECDSA key in the core. Signatures are RFC 6979's, whatever `deterministic_signing` says."""

    def __init__(self, public: ec.EllipticCurvePublicKey, *where: object) -> None:
        super().__init__(*where)  # type: ignore[arg-type]  # signing_handle passes _Handle's arguments on
        self._public = public

    def public_key(self) -> ec.EllipticCurvePublicKey:
        return self._public

    @property
    def curve(self) -> ec.EllipticCurve:
        return self._public.curve

    @property
    def key_size(self) -> int:
        return self._public.key_size

    def sign(self, data: Buffer, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:
        algorithm = signature_algorithm.algorithm
        if not isinstance(signature_algorithm, ec.ECDSA) or isinstance(algorithm, asymmetric.Prehashed):
            self._refuse()
        return self._sign("ecdsa", algorithm.name, data)


class RsaHandle(_Handle, rsa.RSAPrivateKey):
    """An RSA key in the core: PKCS#1 v1.5, and PSS with a salt as long as the hash. Both are deterministic here."""

    def __init__(self, public: rsa.RSAPublicKey, *where: object) -> None:
        super().__init__(*where)  # type: ignore[arg-type]  # signing_handle passes _Handle's arguments on
        self._public = public

    def public_key(self) -> rsa.RSAPublicKey:
        return self._public

    @property
    def key_size(self) -> int:
        return self._public.key_size

    def sign(
        self,
        data: Buffer,
        padding_: padding.AsymmetricPadding,
        algorithm: asymmetric.Prehashed | hashes.HashAlgorithm | asymmetric.NoDigestInfo,
    ) -> bytes:
        if not isinstance(algorithm, hashes.HashAlgorithm):
            self._refuse()
        if isinstance(padding_, padding.PSS) and padding_._salt_length == algorithm.digest_size:  # noqa: SLF001 - pyca shows it nowhere else
            return self._sign("pss", algorithm.name, data)
        if not isinstance(padding_, padding.PKCS1v15):
            self._refuse()
        return self._sign("pkcs1", algorithm.name, data)


class Ed25519Handle(_Handle, ed25519.Ed25519PrivateKey):
    """An Ed25519 key in the core."""

    def __init__(self, public: ed25519.Ed25519PublicKey, *where: object) -> None:
        super().__init__(*where)  # type: ignore[arg-type]  # signing_handle passes _Handle's arguments on
        self._public = public

    def public_key(self) -> ed25519.Ed25519PublicKey:
        return self._public

    def sign(self, data: Buffer) -> bytes:
        return self._sign("ed25519", "", data)


class _MlDsaHandle(_Handle):
    """An ML-DSA key in the core. Signatures are FIPS 204's deterministic ones, with an empty context."""

    def __init__(
        self, public: mldsa.MLDSA44PublicKey | mldsa.MLDSA65PublicKey | mldsa.MLDSA87PublicKey, *where: object
    ) -> None:
        super().__init__(*where)  # type: ignore[arg-type]  # signing_handle passes _Handle's arguments on
        self._public = public

    def public_key(self) -> Any:
        return self._public

    def sign(self, data: Buffer, context: Buffer | None = None) -> bytes:
        if context:
            self._refuse()
        return self._sign("ml-dsa", "", data)

    def sign_mu(self, mu: Buffer) -> NoReturn:
        self._refuse(mu)


class MlDsa44Handle(_MlDsaHandle, mldsa.MLDSA44PrivateKey):
    """ML-DSA-44."""


class MlDsa65Handle(_MlDsaHandle, mldsa.MLDSA65PrivateKey):
    """ML-DSA-65."""


class MlDsa87Handle(_MlDsaHandle, mldsa.MLDSA87PrivateKey):
    """ML-DSA-87."""


MlDsaHandle = MlDsa44Handle | MlDsa65Handle | MlDsa87Handle
SigningHandle = EllipticCurveHandle | RsaHandle | Ed25519Handle | MlDsaHandle


def signing_handle(  # noqa: PLR0917 - the order of CoreClient.sign, with what a handle needs besides
    client: CoreClient, token: bytes, label: KeyLabel, asker: Asker, public_key: bytes, kind: Kind
) -> SigningHandle:
    """A handle that signs things of one kind ("certificate", "ca-certificate", "crl", "ocsp", "csr", "raw").

    public_key: SPKI DER, as `generate_key` gave it. Its `sign` raises the core's errors.
    """
    public = load_der_public_key(public_key)
    where = (client, token, label, asker, kind)
    if isinstance(public, ec.EllipticCurvePublicKey):
        return EllipticCurveHandle(public, *where)
    if isinstance(public, rsa.RSAPublicKey):
        return RsaHandle(public, *where)
    if isinstance(public, ed25519.Ed25519PublicKey):
        return Ed25519Handle(public, *where)
    if isinstance(public, mldsa.MLDSA44PublicKey):
        return MlDsa44Handle(public, *where)
    if isinstance(public, mldsa.MLDSA65PublicKey):
        return MlDsa65Handle(public, *where)
    if isinstance(public, mldsa.MLDSA87PublicKey):
        return MlDsa87Handle(public, *where)
    raise KeyRefused("keystead signs with RSA, EC, Ed25519 and ML-DSA keys")
