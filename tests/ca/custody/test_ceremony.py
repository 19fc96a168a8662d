"""A root by a reviewed plan: rehearsed without a trace, held once, told in a transcript that the new root vouches for."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from ca import AuthorityState, CaError
from tests.ca.conftest import World
from tests.ca.custody.foreign import custody

DIGEST = "ab" * 32


def csr(name: str = "Factory CA", key: ec.EllipticCurvePrivateKey | None = None) -> str:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject)
    signed = request.sign(key or ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return signed.public_bytes(Encoding.PEM).decode()


def plan() -> dict[str, Any]:
    return {
        "ceremony": {"title": "Example Root R1", "witnesses": ["Ada", "Grace"]},
        "root": {
            "subject": "CN=Example Root R1,O=Example",
            "days": 7300,
            "path_length": 1,
            "permit_dns": ["example.test"],
        },
        "subordinate": [
            {"name": "issuing", "subject": "CN=Issuing 1", "key_algorithm": "EC_prime256v1"},
            {"name": "factory", "csr": csr(), "days": 900, "exclude_dns": ["hr.example.test"]},
        ],
        "lock": {"crl_days": 180},
    }


def test_a_rehearsal_says_everything_and_leaves_nothing(quick_world: World) -> None:
    said = "\n".join(custody(quick_world).rehearse(plan(), DIGEST))
    for text in (
        "Ada, Grace",
        "CN=Example Root R1",
        "permitted: example.test",
        "CN=Factory CA",
        "elsewhere",
        "180 days",
    ):
        assert text in said
    assert custody(quick_world).lineage(every=True) == []
    assert quick_world.signatures() == []


def test_the_transcript_tells_what_was_made_and_the_new_root_vouches_for_it(world: World) -> None:
    held = custody(world).hold(plan(), DIGEST)
    told = json.loads(held.transcript)
    assert (told["plan_sha256"], told["witnesses"]) == (DIGEST, ["Ada", "Grace"])
    made = {step["name"]: step for step in told["steps"] if "name" in step}
    assert set(held.certificates) == {"root", "issuing", "factory"}
    certificates = {
        name: x509.load_pem_x509_certificate(pem.encode()) for name, pem in held.certificates.items()
    }
    for name, certificate in certificates.items():
        certificate.verify_directly_issued_by(certificates["root"])
        digest = hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()
        assert made[name]["certificate_sha256"] == digest
    signer = x509.load_pem_x509_certificate(held.signer_pem.encode())
    signer.verify_directly_issued_by(certificates["root"])
    key = signer.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(held.signature, held.transcript, ec.ECDSA(hashes.SHA256()))
    (tree,) = custody(world).lineage(every=False)
    assert (tree.arn, tree.locked, [each.arn for each in tree.below]) == (
        told["root_arn"],
        "locked",
        [made["issuing"]["arn"]],
    )
    with pytest.raises(AuthorityState):
        world.issue(told["root_arn"])
    assert world.issue(made["issuing"]["arn"], "www.example.test")


@pytest.mark.slow
def test_without_a_lock_the_root_stays_open(quick_world: World) -> None:
    asked = plan()
    del asked["lock"], asked["subordinate"]
    custody(quick_world).hold(asked, DIGEST)
    (tree,) = custody(quick_world).lineage(every=False)
    assert (tree.status, tree.locked) == ("ACTIVE", None)


def changed(*path: str | int, to: object) -> Callable[[dict[str, Any]], None]:
    def change(asked: dict[str, Any]) -> None:
        table: Any = asked
        for step in path[:-1]:
            table = table[step]
        table[path[-1]] = to

    return change


def without(*path: str) -> Callable[[dict[str, Any]], None]:
    def change(asked: dict[str, Any]) -> None:
        table = asked
        for step in path[:-1]:
            table = table[step]
        del table[path[-1]]

    return change


FAULTS: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "an unknown table": (changed("rooot", to={}), "'rooot'"),
    "an unknown word": (changed("root", "path_lenght", to=1), "'path_lenght'"),
    "an unknown word below": (changed("subordinate", 0, "cn", to="x"), r"\[\[subordinate\]\] 1 has nothing"),
    "no root": (without("root"), r"\[root\]"),
    "no title": (changed("ceremony", "title", to=" "), "title must be text"),
    "no witness": (changed("ceremony", "witnesses", to=[]), "one person or more"),
    "a witness twice": (changed("ceremony", "witnesses", to=["Ada", "Ada"]), "each once"),
    "witnesses that are no names": (changed("ceremony", "witnesses", to="Ada"), "list of names"),
    "no subject": (without("root", "subject"), "subject must be text"),
    "a subject that is none": (changed("root", "subject", to="Example"), "no name such as"),
    "a key that no CA has": (changed("root", "key_algorithm", to="RSA_1024"), "use one of"),
    "days that are no number": (changed("root", "days", to="ten"), "whole number"),
    "a life beyond the profile": (changed("root", "days", to=36500), "longer than"),
    "a life of nothing": (changed("root", "days", to=0), "root: "),
    "a subordinate that outlives its root": (changed("root", "days", to=100), "outlive"),
    "one name for two": (changed("subordinate", 1, "name", to="issuing"), "must differ"),
    "a name that is a path": (changed("subordinate", 0, "name", to="../x"), "name of a file"),
    "a csr that is none": (changed("subordinate", 1, "csr", to="x"), "csr: "),
    "another key than the csr's": (
        changed("subordinate", 1, "key_algorithm", to="RSA_2048"),
        "key of its csr",
    ),
    "a path length that does not fit": (changed("subordinate", 0, "path_length", to=1), "path length"),
    "a subtree that is none": (changed("root", "permit_ip", to=["10.0.0.1/8"]), "no ip subtree"),
    "subtrees that are no list": (changed("root", "permit_dns", to="example.test"), "list of texts"),
    "a subordinate that is no table": (changed("subordinate", to=["x"]), "must be a table"),
}


def test_a_fault_in_the_plan_is_named_before_anything_is_made(quick_world: World) -> None:
    for change, says in FAULTS.values():
        asked = plan()
        change(asked)
        with pytest.raises(CaError, match=says):
            custody(quick_world).hold(asked, DIGEST)
    assert custody(quick_world).lineage(every=True) == []
    assert quick_world.signatures() == []
