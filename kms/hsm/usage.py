"""Who may ask what of which key: three literal tables, enforced in the core itself.

A captured worker that says anything it likes still cannot have a CA key sign arbitrary bytes.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from kms.hsm import frames
from kms.hsm.errors import KeyRefused
from kms.hsm.labels import KeyLabel, Role
from kms.hsm.specs import Family, spec_named, usual_usage

_ISSUING = frozenset({"sign certificate", "sign ca-certificate", "sign crl"})
_CA = _ISSUING | {"sign csr", "sign rollover"}  # it asks its parent for a certificate, and changes its key
_SIGNING = frozenset({"sign raw", "verify"})

# (purpose, usage, family of the spec) -> what such keys do; what is not here cannot be made.
USES: Mapping[tuple[str, str, Family], frozenset[str]] = {
    ("ca", "SIGN_VERIFY", "rsa"): _CA,
    ("ca", "SIGN_VERIFY", "ec"): _CA,
    ("ca", "SIGN_VERIFY", "ed25519"): _CA,
    ("ca", "SIGN_VERIFY", "ml-dsa"): _CA,
    ("ocsp", "SIGN_VERIFY", "ec"): frozenset({"sign ocsp"}),  # delegated responders: no CA key answers itself
    ("log", "SIGN_VERIFY", "ed25519"): frozenset({"sign checkpoint"}),  # of the one transparency log
    ("door", "SIGN_VERIFY", "rsa"): _ISSUING,
    ("door", "SIGN_VERIFY", "ec"): _ISSUING,
    ("door", "SIGN_VERIFY", "ed25519"): _ISSUING,
    ("acm", "SIGN_VERIFY", "rsa"): frozenset({"sign csr"}),
    ("acm", "SIGN_VERIFY", "ec"): frozenset({"sign csr"}),
    ("acm", "SIGN_VERIFY", "ed25519"): frozenset({"sign csr"}),
    ("kms", "SIGN_VERIFY", "rsa"): _SIGNING,
    ("kms", "SIGN_VERIFY", "ec"): _SIGNING,
    ("kms", "SIGN_VERIFY", "koblitz"): _SIGNING,
    ("kms", "SIGN_VERIFY", "ed25519"): _SIGNING,
    ("kms", "SIGN_VERIFY", "ml-dsa"): _SIGNING,
    ("kms", "ENCRYPT_DECRYPT", "symmetric"): frozenset({"encrypt", "decrypt", "data-key", "data-key-pair"}),
    ("kms", "ENCRYPT_DECRYPT", "rsa"): frozenset({"encrypt", "decrypt"}),
    ("kms", "GENERATE_VERIFY_MAC", "hmac"): frozenset({"generate-mac", "verify-mac"}),
    ("kms", "KEY_AGREEMENT", "ec"): frozenset({"derive"}),
    ("kms", "ENCAPSULATE_DECAPSULATE", "ml-kem"): frozenset({"encapsulate", "decapsulate"}),
}

DATA_KEY_PAIRS: frozenset[Family] = frozenset({"rsa", "ec", "koblitz", "ed25519", "ml-kem"})
"""Families of KMS's DataKeyPairSpec. What the pair is used for, outside, nobody can enforce."""


EXTERNAL = "EXTERNAL"
_IMPORTS = (frames.ImportParameters, frames.ImportMaterial)


@dataclass(frozen=True, slots=True)
class Purpose:
    """What `seal`/`open` and `mac` do under a name of their own, and whether the trail records it."""

    seals: bool = False
    macs: bool = False
    recorded: bool = True


PURPOSES: Mapping[str, Purpose] = {
    "paging": Purpose(seals=True, recorded=False),  # volatile, and reveals only what its bearer was shown
    "door": Purpose(seals=True),  # the HTTPS door's own TLS key
    "dns": Purpose(seals=True),  # TSIG secrets of RFC 2136 zones
    "config": Purpose(seals=True),  # other operator secrets
    "acme": Purpose(seals=True, macs=True),
    "secret": Purpose(seals=True),  # Secrets Manager's values
    "object": Purpose(seals=True),  # SSE-S3's data keys
    # What temporary credentials carry. Not recorded: strangers may send anything as a token. Its secret access key is
    # sealed apart, as every one is, and each use of that is recorded.
    "session": Purpose(seals=True, recorded=False),
    "bearer": Purpose(macs=True, recorded=False),  # digests of bearer tokens, for looking them up
    "digest": Purpose(macs=True, recorded=False),  # request digests of idempotency tokens
    "row": Purpose(macs=True, recorded=False),  # row MACs: policies, grants, states, aliases
    "trail": Purpose(macs=True, recorded=False),  # heads of trail segments
}

_WORKER: frozenset[type[frames.Body]] = frozenset(
    {
        frames.Ping, frames.GenerateKey, frames.Reseal, frames.Sign, frames.Verify, frames.Encrypt, frames.Decrypt,
        frames.ReEncrypt, frames.GenerateDataKey, frames.GenerateDataKeyPair, frames.GenerateRandom,
        frames.GenerateMac, frames.VerifyMac, frames.DeriveSharedSecret, frames.Encapsulate, frames.Decapsulate,
        frames.ImportParameters, frames.ImportMaterial,
        frames.Seal, frames.Open, frames.Mac, frames.Macs, frames.SigningKey, frames.Append,
        frames.NewAccessKey,
    }
)  # fmt: skip
_ADMIN: frozenset[type[frames.Body]] = frozenset(
    {
        frames.Ping, frames.GenerateKey, frames.Sign, frames.Seal, frames.Open, frames.Mac, frames.Macs, frames.Append,
        frames.NewAccessKey, frames.Reseal, frames.ImportParameters, frames.ImportMaterial, frames.Lock, frames.Unlock,
    }
)  # fmt: skip
ROLES: Mapping[Role, frozenset[type[frames.Body]]] = {
    "worker": _WORKER,
    "scheduler": _WORKER | _ADMIN,  # it serves the admin socket beside its jobs
    "admin": _ADMIN,  # manages keys and makes identities; neither encrypts nor decrypts
}


def check_role(role: Role, body: frames.AnyBody) -> None:
    """Raises KeyRefused unless the role may ask this."""
    if type(body) not in ROLES[role]:
        raise KeyRefused(f"a {role} may not ask the core for {type(body).__name__}")
    if role == "worker" and isinstance(body, frames.NewAccessKey) and body.secret is not None:
        raise KeyRefused("a worker may not choose a secret access key")
    if role == "worker" and _operators_own(body):
        raise KeyRefused("only an operator brings in a CA's key, or certifies one key of a CA by another")
    if role == "worker" and isinstance(body, frames.Sign) and body.kind == "checkpoint":
        raise KeyRefused("a worker, which parses what strangers send, signs no checkpoint of the log")
    if role == "admin" and isinstance(body, _IMPORTS) and body.label.purpose != "ca":
        raise KeyRefused("an admin may not ask the core for keys but those of CAs to be brought in")


def _operators_own(body: frames.AnyBody) -> bool:
    """What a captured worker could use to pass a key of its own off as a CA's."""
    match body:
        case frames.Sign():
            return body.kind == "rollover"
        case frames.ImportParameters() | frames.ImportMaterial():
            return body.label.purpose == "ca"
    return False


def check_label(label: KeyLabel) -> frozenset[str]:
    """What keys of this label do. Raises KeyRefused unless there may be keys of this purpose, usage and spec."""
    acts = _acts(label.purpose, label.usage, label.spec)
    if acts is None:
        raise KeyRefused(f"a {label.purpose!r} key for {label.resolved_usage} cannot be {label.spec}")
    return acts


def check_use(label: KeyLabel, act: str) -> None:
    """Raises KeyRefused unless a key of this label may do this."""
    if act not in check_label(label):
        raise KeyRefused(
            f"a {label.purpose!r} key of spec {label.spec} for {label.resolved_usage} does not {act}"
        )


@functools.lru_cache(maxsize=1024)
def _acts(purpose: str, usage: str, spec: str) -> frozenset[str] | None:
    """The table's row for a label; names that callers make up come and go."""
    return USES.get((purpose, usage or usual_usage(spec), spec_named(spec).family))


def check_made_here(label: KeyLabel) -> None:
    """Raises KeyRefused for a label of imported material: the core makes none of it."""
    if label.origin == EXTERNAL:
        raise KeyRefused("a key of origin EXTERNAL gets its material by import")


def check_imported(label: KeyLabel) -> None:
    """Raises KeyRefused unless material may be imported for keys of this label."""
    check_label(label)
    if label.purpose not in {"kms", "ca"} or label.origin != EXTERNAL:
        raise KeyRefused("material is imported for 'kms' and 'ca' keys of origin EXTERNAL only")


def check_lockable(label: KeyLabel) -> None:
    """Raises KeyRefused unless keys of this label can be locked."""
    check_label(label)
    if label.purpose != "ca":
        raise KeyRefused("only the keys of CAs are locked")


def check_seal(purpose: str) -> Purpose:
    """The purpose, if things may be sealed for it; KeyRefused otherwise (key tokens and IAM secrets among them)."""
    found = PURPOSES.get(purpose)
    if found is None or not found.seals:
        raise KeyRefused(f"nothing is sealed for {purpose!r}; see kms.hsm.usage.PURPOSES")
    return found


def check_mac(purpose: str) -> Purpose:
    """The purpose, if it has a MAC; KeyRefused otherwise."""
    found = PURPOSES.get(purpose)
    if found is None or not found.macs:
        raise KeyRefused(f"there is no MAC for {purpose!r}; see kms.hsm.usage.PURPOSES")
    return found
