"""Every key and signing algorithm of the model: made, issued with, or refused in words that say what there is."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import botocore.loaders
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa
from cryptography.x509.oid import NameOID

from ca.algorithms import ALGORITHMS, USUAL
from tests.api.pca.acting import SIGNING, Hierarchy, activate, create, hierarchy, issue, request
from tests.support.world import World

SHAPES = botocore.loaders.Loader().load_service_model("acm-pca", "service-2")["shapes"]
KEYS: list[str] = SHAPES["KeyAlgorithm"]["enum"]
SIGNINGS: list[str] = SHAPES["SigningAlgorithm"]["enum"]
SLOW_KEYS = {"RSA_3072", "RSA_4096"}
NAME = "host.example.com"
SUBJECTS: Final[Mapping[str, Callable[[], Any]]] = MappingProxyType(
    {
        "RSA_2048": lambda: rsa.generate_private_key(65537, 2048),
        "EC_secp521r1": lambda: ec.generate_private_key(ec.SECP521R1()),
        "ED25519": ed25519.Ed25519PrivateKey.generate,
        "ML_DSA_44": mldsa.MLDSA44PrivateKey.generate,
        "ML_DSA_65": mldsa.MLDSA65PrivateKey.generate,
        "ML_DSA_87": mldsa.MLDSA87PrivateKey.generate,
    }
)


def family(key: str) -> str:
    return key if key.startswith("ML_DSA") else key[:2].replace("RS", "RSA")


def fits(key: str, signing: str) -> bool:
    """Whether the model's words say that such a key signs so: the families match."""
    return {"RSA": "WITHRSA" in signing, "EC": signing.endswith("WITHECDSA")}.get(family(key), key == signing)


def test_the_table_has_every_algorithm_of_the_model_but_sm2() -> None:
    assert set(USUAL) == set(KEYS) - {"SM2"}
    assert set(ALGORITHMS) == set(SIGNINGS) - {"SM3WITHSM2"}


@pytest.mark.parametrize(
    "key",
    [pytest.param(key, marks=pytest.mark.slow if key in SLOW_KEYS else ()) for key in KEYS if key != "SM2"],
)
def test_every_key_algorithm_makes_a_root_that_signs_with_all_of_its_family(
    shared_world: World, key: str
) -> None:
    pca = shared_world.account().client("acm-pca")
    root = create(pca, algorithm=key)
    activate(pca, root, root, "RootCACertificate", key, 10)
    answer = pca.get_certificate_authority_certificate(CertificateAuthorityArn=root)
    own = x509.load_pem_x509_certificate(answer["Certificate"].encode())
    own.verify_directly_issued_by(own)
    csr, made = request(NAME), Hierarchy(pca, root, root, key)
    for signing in SIGNINGS:
        if not fits(key, signing):
            with pytest.raises(pca.exceptions.InvalidArgsException, match="does not sign with"):
                issue(pca, root, csr, signing=signing)
            continue
        leaf = made.certificate(issue(pca, root, csr, signing=signing))
        leaf.verify_directly_issued_by(own)
        assert leaf.signature_algorithm_oid == ALGORITHMS[signing].signature_oid


@pytest.mark.parametrize("signing", SIGNINGS)
def test_the_signing_algorithm_of_an_authority_signs_its_request_or_is_refused(
    pca: Any, signing: str
) -> None:
    for key in ("EC_secp384r1", "RSA_2048", "ML_DSA_44", "ML_DSA_65", "ML_DSA_87"):
        if not fits(key, signing):
            with pytest.raises(pca.exceptions.InvalidArgsException, match="does not sign with"):
                create(pca, algorithm=key, signing=signing)
            continue
        arn = create(pca, algorithm=key, signing=signing)
        csr = pca.get_certificate_authority_csr(CertificateAuthorityArn=arn)["Csr"].encode()
        asked = x509.load_pem_x509_csr(csr)
        assert asked.is_signature_valid
        assert asked.signature_algorithm_oid == ALGORITHMS[signing].signature_oid
        described = pca.describe_certificate_authority(CertificateAuthorityArn=arn)["CertificateAuthority"]
        assert described["CertificateAuthorityConfiguration"]["SigningAlgorithm"] == signing


def test_sm2_is_refused_and_told_what_there_is(pca: Any) -> None:
    with pytest.raises(
        pca.exceptions.InvalidArgsException, match=r"no CA keys of algorithm SM2.*EC_prime256v1"
    ):
        create(pca, algorithm="SM2", signing="SM3WITHSM2")


@pytest.mark.parametrize("kind", SUBJECTS)
def test_subject_keys_of_every_kind_are_certified(shared_hierarchy: Hierarchy, kind: str) -> None:
    key = SUBJECTS[kind]()
    leaf = shared_hierarchy.certificate(shared_hierarchy.issue(request(NAME, key=key)))
    assert leaf.public_key() == key.public_key()
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert usage.key_encipherment is (kind == "RSA_2048")


def test_a_request_signed_with_pss_proves_possession(shared_hierarchy: Hierarchy) -> None:
    key, digest = rsa.generate_private_key(65537, 2048), hashes.SHA384()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    csr = x509.CertificateSigningRequestBuilder().subject_name(subject)
    signed = csr.sign(key, digest, rsa_padding=padding.PSS(padding.MGF1(digest), digest.digest_size))
    assert shared_hierarchy.issue(signed.public_bytes(serialization.Encoding.PEM))


@pytest.mark.parametrize("above", ["ML_DSA_65", "EC_secp384r1"])
def test_a_hierarchy_may_mix_families(pca: Any, above: str) -> None:
    """AWS wants a subordinate's algorithm to be one that its parent supports; every parent here knows every key."""
    below = "EC_prime256v1" if above == "ML_DSA_65" else "ML_DSA_87"
    root, subordinate = create(pca, algorithm=above), create(pca, "SUBORDINATE", "Below", below)
    activate(pca, root, root, "RootCACertificate", above, 10)
    activate(pca, subordinate, root, "SubordinateCACertificate_PathLen0", above, 5)
    made = Hierarchy(pca, root, subordinate, below)
    arn = made.issue(request(NAME))
    got = pca.get_certificate(CertificateAuthorityArn=subordinate, CertificateArn=arn)
    chain = x509.load_pem_x509_certificates(got["CertificateChain"].encode())
    made.certificate(arn).verify_directly_issued_by(chain[0])
    chain[0].verify_directly_issued_by(chain[1])
    assert chain[0].signature_algorithm_oid == ALGORITHMS[SIGNING[above]].signature_oid


@pytest.fixture(scope="module")
def shared_hierarchy(shared_world: World) -> Hierarchy:
    return hierarchy(shared_world.account().client("acm-pca"))
