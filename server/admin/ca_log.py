"""The operator's commands on the transparency log: its key, its files, and holding the database to it."""

import base64
import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cryptography import x509

from ca import BadNote, LogBroken, ReadLog, Verifier, audit_log, log_tiles, open_checkpoint
from foundation.store import SYSTEM
from kms.hsm import CoreError
from server.admin import acting
from server.admin.acting import Arguments
from server.admin.protocol import NOTHING_THERE, CommandFailed, Progress

if TYPE_CHECKING:
    from server.assembly import Assembly

AT_ONCE = 64
"""Files of one answer: bundles of 256 entries have some 50 kB."""


def key(assembly: "Assembly", _arguments: Arguments, _progress: Progress) -> dict[str, Any]:
    """→ key (a verifier key of signed notes), url."""
    name, verifier = _known(assembly)
    return {"key": str(verifier), "url": f"{assembly.settings.own_url}/log/{name}/"}


def verify(assembly: "Assembly", arguments: Arguments, progress: Progress) -> dict[str, Any]:
    """→ size, root, checkpoint, certificates, revocations, waiting; since; index, revoked, proof of a certificate."""
    try:
        assembly.merkle_log.advance()
    except CoreError as refused:
        raise CommandFailed(f"the key core signs no checkpoint of this log: {refused}") from refused
    name, verifier = _known(assembly)
    progress("reading the log through, and every certificate and revocation that is stored")
    try:
        found = audit_log(assembly.store.unit(SYSTEM), name, verifier)
        told = described(
            found.log, verifier, acting.text(arguments, "since"), acting.text(arguments, "certificate")
        )
    except LogBroken as broken:
        raise CommandFailed(f"the log is damaged: {broken}") from broken
    return {
        **told,
        "certificates": found.certificates,
        "revocations": found.revocations,
        "waiting": found.waiting,
    }


def described(log: ReadLog, verifier: Verifier, since: str | None, certificate: str | None) -> dict[str, Any]:
    """What a log that was read through says of an older checkpoint and of a certificate. Raises LogBroken, CommandFailed."""
    told: dict[str, Any] = {
        "size": log.checkpoint.size,
        "root": base64.b64encode(log.checkpoint.root).decode(),
        "checkpoint": log.note.decode(),
    }
    if since is not None:
        try:
            older = open_checkpoint(since.encode(), verifier)
        except BadNote as bad:
            raise CommandFailed(f"the older checkpoint cannot be trusted: {bad}") from bad
        log.check_since(older)
        told["since"] = older.size
    if certificate is not None:
        try:
            read = x509.load_pem_x509_certificates(certificate.encode())[0]
        except ValueError as malformed:
            raise CommandFailed(f"the file holds no PEM certificate: {malformed}") from malformed
        digest = hashlib.sha256(read.tbs_certificate_bytes).hexdigest()
        index = log.index_of(f"{read.serial_number:x}", digest)
        revoked = log.revocation_of(log.entries[index])
        told |= {
            "index": index,
            "revoked": None if revoked is None else revoked.about,
            "proof": log.proof(index),
        }
    return told


def files(assembly: "Assembly", arguments: Arguments, _progress: Progress) -> dict[str, Any]:
    """Some of the log's files, from number `after` on → checkpoint, files: path → base64, next (None: those were all).

    `checkpoint` is the one that they are of: the caller hands it back.
    """
    name, verifier = _known(assembly)
    given = acting.text(arguments, "checkpoint")
    if given is None:
        assembly.merkle_log.advance()
        note = assembly.public_log.file(f"{name}/checkpoint")
        if note is None:
            raise CommandFailed("the log has no checkpoint yet", NOTHING_THERE)
        given = note.body.decode()
    try:
        checkpoint = open_checkpoint(given.encode(), verifier)
    except BadNote as bad:
        raise CommandFailed(str(bad)) from bad
    after = arguments.get("after", 0)
    if not isinstance(after, int) or after < 0:
        raise CommandFailed("after must be a number")
    paths = [tile.path for tile in log_tiles(checkpoint.size)]
    some: dict[str, str] = {}
    for path in paths[after : after + AT_ONCE]:
        found = assembly.public_log.file(f"{name}/{path}")
        if found is None:
            raise CommandFailed(f"the log is damaged: {path} is missing")
        some[path] = base64.b64encode(found.body).decode()
    end = after + AT_ONCE
    return {"checkpoint": given, "files": some, "next": end if end < len(paths) else None}


def _known(assembly: "Assembly") -> tuple[str, Verifier]:
    known = assembly.public_log.known()
    if known is None:
        assembly.merkle_log.advance()
        known = assembly.public_log.known()
    assert known is not None  # it has begun
    return known


COMMANDS: Mapping[str, acting.Command] = {
    "ca.log.key": key,
    "ca.log.verify": verify,
    "ca.log.files": files,
}
