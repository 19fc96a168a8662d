"""Imported key material: parameters, import, deletion (TRAPS 18). What an import may bring is decided by `judged`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from foundation.store import cancel, schedule
from kms.hsm import (
    BadImportToken,
    BadMaterial,
    BadSeal,
    CoreUnavailable,
    ImportedKey,
    ImportParameters,
    KeyRefused,
    import_note,
)
from kms.keys import errors
from kms.keys.cache import Rows
from kms.keys.changes import Changes
from kms.keys.context import Context
from kms.keys.editing import Editing
from kms.keys.found import ORIGIN_EXTERNAL, FoundKey
from kms.keys.keys import Lookup
from kms.keys.materials import EXPIRE, Materials, expiry_of
from kms.keys.scrubbing import scrub_after
from kms.keys.using import Words, timed_out

TOKEN_LIFE: Final = timedelta(hours=24)
LONGEST: Final = timedelta(days=365)
EXPIRES: Final = "KEY_MATERIAL_EXPIRES"
NEW: Final = "NEW_KEY_MATERIAL"
EXISTING: Final = "EXISTING_KEY_MATERIAL"
REFUSED_WRAPPERS: Final[Mapping[str, str]] = {
    "RSAES_PKCS1_V1_5": "KMS does not support the RSAES_PKCS1_V1_5 wrapping algorithm since October 10, 2023.",
    "SM2PKE": "The wrapping algorithm SM2PKE is not supported in this Region.",
}

_PARAMETER_WORDS: Final = Words({
    CoreUnavailable: timed_out,
    KeyRefused: lambda refused: errors.UnsupportedOperation(f"Not supported: {refused}."),
})  # fmt: skip
_IMPORT_WORDS: Final = Words({
    CoreUnavailable: timed_out,
    BadImportToken: lambda _: errors.InvalidImportToken("The import token is not one of this key's."),
    BadSeal: lambda _: errors.InvalidCiphertext("The encrypted key material cannot be unwrapped with this token."),
    BadMaterial: lambda bad: errors.IncorrectKeyMaterial(f"The key material does not fit the key: {bad}."),
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Import:
    """What ImportKeyMaterial asks for, beside the key."""

    token: bytes
    wrapped: bytes
    valid_to: datetime | None
    kind: str | None = None
    description: str | None = None
    material_id: str | None = None

    @property
    def only_symmetric(self) -> bool:
        """Whether it has a parameter that the model has for symmetric keys only."""
        return (self.kind, self.description, self.material_id) != (None, None, None)


def judge_wrapping(algorithm: str, spec: str) -> None:
    """Raise UnsupportedOperation for what the model names and KMS does not take from anybody."""
    if algorithm in REFUSED_WRAPPERS:
        raise errors.UnsupportedOperation(REFUSED_WRAPPERS[algorithm])
    if spec == "SM2":
        raise errors.UnsupportedOperation("The wrapping key spec SM2 is not supported in this Region.")


def judge_import(asked: Import, model: str, now: datetime) -> None:
    """Raise ValidationError for an expiry that is missing, too late or past, and for an id of what is new."""
    if (model == EXPIRES) != (asked.valid_to is not None):
        raise errors.ValidationError(
            "ValidTo is required when the ExpirationModel is KEY_MATERIAL_EXPIRES, which it is by default, and must be "
            "omitted otherwise."
        )
    if asked.valid_to is not None and not now < asked.valid_to <= now + LONGEST:
        raise errors.ValidationError("ValidTo must be in the future, at most 365 days from now.")
    if asked.material_id is not None and asked.kind == NEW:
        raise errors.ValidationError(
            "KeyMaterialId cannot be specified with the ImportType NEW_KEY_MATERIAL."
        )


class Imports:
    """For one call."""

    def __init__(self, context: Context, lookup: Lookup, editing: Editing) -> None:
        self._context = context
        self._rooms = context.rooms
        self._lookup = lookup
        self._editing = editing

    def parameters(
        self, key_id: str, algorithm: str, spec: str
    ) -> tuple[FoundKey, ImportParameters, datetime]:
        """The key, its wrapping key and import token, and until when the two are good (TRAPS 18)."""
        found = self._lookup.usable(key_id, "GetParametersForImport")
        check_external(found)
        until = (self._rooms.now() + TOKEN_LIFE).replace(microsecond=0)
        note = str(int(until.timestamp())).encode()
        with _PARAMETER_WORDS:
            made = self._rooms.core.import_parameters(
                found.label(1), self._context.asker, algorithm, spec, note=note
            )
        return found, made, until

    def take(self, key_id: str, asked: Import) -> tuple[FoundKey, str]:
        """ImportKeyMaterial: the key and the material's id. When all its materials are there, the key is enabled."""
        taken: list[str] = []

        def decide(rows: Rows) -> Changes:
            found = rows.found
            check_external(found)
            if asked.only_symmetric and not found.spec.symmetric:
                raise errors.ValidationError(
                    "ImportType, KeyMaterialDescription and KeyMaterialId are for symmetric encryption keys only."
                )
            materials = Materials(rows, self._rooms.rows.materials(self._context.unit, found.id))
            kind = judge_kind(found, materials, asked.kind)
            self._check_token(asked.token)
            imported = self._unwrapped(found, materials, asked)
            judge_material(found, materials, kind, asked.material_id, imported)
            taken[:] = [imported.material_id]
            changes = materials.taken(imported, self._values(asked, imported))
            subject = expiry_of(found.id, imported.version)
            due = asked.valid_to
            changes.also.append(
                lambda session: (
                    cancel(session, EXPIRE, subject)
                    if due is None
                    else schedule(session, EXPIRE, subject, due)
                )
            )
            return changes

        found = self._editing.edit(key_id, "ImportKeyMaterial", decide)
        return found, taken[0]

    def delete(self, key_id: str, material_id: str | None) -> tuple[FoundKey, str]:
        """DeleteImportedKeyMaterial: the key and the id of what was deleted, "" when there was nothing."""
        deleted: list[str] = []

        def decide(rows: Rows) -> Changes:
            found = rows.found
            check_external(found)
            materials = Materials(rows, self._rooms.rows.materials(self._context.unit, found.id))
            row = materials.named(material_id)
            if row is None and material_id is not None:
                raise errors.NotFound(f"Key material {material_id} of {found.arn} is not found.")
            deleted[:] = ["" if row is None else row.material_id]
            if row is None:
                return Changes()
            changes, subject, now = (
                materials.removed(row),
                expiry_of(found.id, row.version),
                self._rooms.now(),
            )
            changes.also.append(lambda session: cancel(session, EXPIRE, subject))
            changes.also.append(lambda session: scrub_after(session, found.id, now))
            return changes

        found = self._editing.edit(key_id, "DeleteImportedKeyMaterial", decide)
        return found, deleted[0]

    def _check_token(self, token: bytes) -> None:
        """Raise InvalidImportToken for what is none, ExpiredImportToken for one that is over; the core does the rest."""
        with _IMPORT_WORDS:
            note = import_note(token)
        if not note.isdigit() or len(note) > 12:
            raise errors.InvalidImportToken("The import token is not one of this key's.")
        if datetime.fromtimestamp(int(note), UTC) <= self._rooms.now():
            raise errors.ExpiredImportToken(
                "The import token has expired; get a new one, and a new public key."
            )

    def _unwrapped(self, found: FoundKey, materials: Materials, asked: Import) -> ImportedKey:
        with _IMPORT_WORDS:
            return self._rooms.core.import_material(
                asked.token, found.label(materials.next_version), self._context.asker, asked.wrapped,
                known=materials.known,
            )  # fmt: skip

    def _values(self, asked: Import, imported: ImportedKey) -> dict[str, Any]:
        values: dict[str, Any] = {
            "token": imported.token, "public_key": imported.public_key, "valid_to": asked.valid_to,
            "created_at": self._rooms.now(),
        }  # fmt: skip
        return values if asked.description is None else {**values, "description": asked.description}


def check_external(found: FoundKey) -> None:
    """Raise UnsupportedOperation for a key whose material keystead made."""
    if found.origin != ORIGIN_EXTERNAL:
        raise errors.UnsupportedOperation(
            f"{found.arn} origin is {found.origin} which is not valid for this operation."
        )


def judge_kind(found: FoundKey, materials: Materials, kind: str | None) -> str:
    """The ImportType: NEW the first time, EXISTING after (TRAPS 18). New material goes to a set's primary first.

    Raises UnsupportedOperation for new material in a replica, InvalidState while other material waits to rotate in.
    """
    kind = kind or (EXISTING if materials.known else NEW)
    if kind == NEW and found.multi_region_type == "REPLICA":
        raise errors.UnsupportedOperation(
            f"{found.arn} is a replica: import new key material into the primary key first."
        )
    if kind == NEW and materials.waiting is not None:
        raise errors.InvalidState(f"{found.arn} has key material that is pending rotation already.")
    return kind


def judge_material(
    found: FoundKey, materials: Materials, kind: str, material_id: str | None, imported: ImportedKey
) -> None:
    """Raise IncorrectKeyMaterial unless the material is what was announced: new, known, or that very one."""
    known = imported.material_id in materials.known
    if kind == NEW and known:
        raise errors.IncorrectKeyMaterial(f"The key material is associated with {found.arn} already.")
    if kind == EXISTING and not known:
        raise errors.IncorrectKeyMaterial(f"The key material was not imported into {found.arn} before.")
    if material_id not in {None, imported.material_id}:
        raise errors.IncorrectKeyMaterial(f"The key material is not {material_id} of {found.arn}.")
