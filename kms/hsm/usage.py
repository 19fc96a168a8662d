"""Who may ask what of which key: three literal tables, enforced in the core itself.

A captured worker that says anything it likes still cannot have a CA key sign arbitrary bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from kms.hsm import frames
from kms.hsm.errors import KeyRefused
from kms.hsm.labels import ED25519, RSA_BITS, SYMMETRIC, KeyLabel, Role

_SIGNERS = frozenset({*RSA_BITS, "EC_prime256v1", "EC_secp384r1", "EC_secp521r1", ED25519})
_SYMMETRIC = frozenset({SYMMETRIC})


@dataclass(frozen=True, slots=True)
class Use:
    """What keys of one purpose and usage may be, and may do ("sign <kind>", "encrypt", "decrypt", "data-key")."""

    specs: frozenset[str]
    acts: frozenset[str]


USES: Mapping[tuple[str, str], Use] = {
    ("ca", "SIGN_VERIFY"): Use(
        _SIGNERS, frozenset({"sign certificate", "sign ca-certificate", "sign crl", "sign ocsp"})
    ),
    ("door", "SIGN_VERIFY"): Use(
        _SIGNERS, frozenset({"sign certificate", "sign ca-certificate", "sign crl", "sign ocsp"})
    ),
    ("acm", "SIGN_VERIFY"): Use(_SIGNERS, frozenset({"sign csr"})),
    ("kms", "SIGN_VERIFY"): Use(_SIGNERS, frozenset({"sign raw"})),
    ("kms", "ENCRYPT_DECRYPT"): Use(_SYMMETRIC, frozenset({"encrypt", "decrypt", "data-key"})),
}


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
        frames.Ping, frames.GenerateKey, frames.Sign, frames.Encrypt, frames.Decrypt, frames.GenerateDataKey,
        frames.Seal, frames.Open, frames.Mac, frames.SigningKey, frames.Append,
        frames.NewAccessKey,
    }
)  # fmt: skip
_ADMIN: frozenset[type[frames.Body]] = frozenset(
    {
        frames.Ping, frames.GenerateKey, frames.Sign, frames.Seal, frames.Open, frames.Mac, frames.Append,
        frames.NewAccessKey, frames.Reseal,
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


def check_label(label: KeyLabel) -> None:
    """Raises KeyRefused unless keys of this purpose and usage may have this spec."""
    use = USES.get((label.purpose, label.resolved_usage))
    if use is None:
        raise KeyRefused(f"there are no {label.purpose!r} keys for {label.resolved_usage}")
    if label.spec not in use.specs:
        raise KeyRefused(f"a {label.purpose!r} key for {label.resolved_usage} cannot be {label.spec}")


def check_use(label: KeyLabel, act: str) -> None:
    """Raises KeyRefused unless a key of this label may do this."""
    check_label(label)
    if act not in USES[label.purpose, label.resolved_usage].acts:
        raise KeyRefused(f"a {label.purpose!r} key for {label.resolved_usage} does not {act}")


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
