"""The import token: the sealed private half of a wrapping key, behind a note that its owner may read.

    4b 02 | note length (2) | note | sealed

Sealed are the wrapping algorithm and the key; bound to them the note and the KMS key that the material is for.
"""

from kms.hsm.errors import BadImportToken
from kms.hsm.labels import KeyLabel, canonical
from kms.hsm.specs import spec_named

MAGIC = b"\x4b\x02"


def join(note: bytes, sealed: bytes) -> bytes:
    return MAGIC + len(note).to_bytes(2, "big") + note + sealed


def split(token: bytes) -> tuple[bytes, bytes]:
    """(note, sealed), neither of them authenticated. Raises BadImportToken."""
    end = 4 + int.from_bytes(token[2:4], "big")
    if token[:2] != MAGIC or len(token) <= end:
        raise BadImportToken("it is not an import token of this service")
    return token[4:end], token[end:]


def import_note(token: bytes) -> bytes:
    """The note of `import_parameters`. Not authenticated until `import_material` takes the token."""
    return split(token)[0]


def binding(label: KeyLabel, note: bytes) -> bytes:
    """What the sealed part is bound to: the key, but no version of it, which the material itself decides."""
    return canonical(
        "keystead import token 1", label.purpose, label.account, label.region, label.key_id,
        spec_named(label.spec).name, label.resolved_usage, label.origin, note,
    )  # fmt: skip
