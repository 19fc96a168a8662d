"""What an older database knew of revocation is still known after the schema changed."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alembic import command
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import text

from foundation.store import Store, schema

MOMENT = "2026-03-01T12:00:00.000000Z"
AUTHORITY = """INSERT INTO ca_authority (account, region, id, kind, status, key_spec, key_token, public_key, subject,
 certificate, created_at, revocations, crl_number) VALUES ('1', 'r', :id, 'ROOT', 'ACTIVE', 'EC_prime256v1', :b, :b, :b,
 :certificate, :at, 2, 7)"""
CONFIGURATION = """INSERT INTO ca_configuration (account, region, authority_id, usage_mode, signing_algorithm, subject,
 revocation, key_storage, tags, changed_at) VALUES ('1', 'r', 'of-the-api', 'GENERAL_PURPOSE', 'SHA256WITHECDSA', '{}',
 '{"CrlConfiguration": {"Enabled": false}}', 'x', '{}', :at)"""
CRL = """INSERT INTO ca_crl (account, region, authority_id, number, covers, this_update, next_update, crl)
 VALUES ('1', 'r', 'own', 7, 2, :at, :at, :b)"""
REVOCATION = """INSERT INTO ca_revocation (account, region, authority_id, serial, reason, revoked_at, not_after)
 VALUES ('1', 'r', 'own', '4b', 'SUPERSEDED', :at, :at)"""


def test_configurations_lists_and_numbers_move_to_where_they_are_now(
    any_store_url: str, open_store: Callable[..., Store]
) -> None:
    store = open_store(any_store_url, create=False)
    with store._write_engine.begin() as connection:
        command.upgrade(schema.alembic_config(connection), "0006")
    with store._write_engine.begin() as connection:

        def run(statement: str, **more: Any) -> None:
            connection.execute(
                text(statement),
                {
                    name: value
                    for name, value in ({"at": MOMENT, "b": b"x"} | more).items()
                    if f":{name}" in statement
                },
            )

        run(AUTHORITY, id="own", certificate=b"x")
        run(AUTHORITY, id="of-the-api", certificate=b"x")
        run(AUTHORITY, id="unfinished", certificate=None)
        for statement in (CONFIGURATION, CRL, REVOCATION):
            run(statement)
    store.migrate()
    with store._write_engine.begin() as connection:
        kept = connection.execute(text("SELECT id, revocation FROM ca_authority")).all()
        shards = connection.execute(text("SELECT authority_id, shard, urls FROM ca_crl_shard")).all()
        published = connection.execute(
            text("SELECT authority_id, shard, number, covers FROM ca_published_crl")
        ).all()
        revoked = connection.execute(text("SELECT shard, ordinal FROM ca_revocation")).all()
    enabled = {id_: json.loads(revocation)["CrlConfiguration"]["Enabled"] for id_, revocation in kept}
    assert enabled == {"own": True, "of-the-api": False, "unfinished": True}
    assert {tuple(row) for row in shards} == {("own", 0, "[]"), ("of-the-api", 0, "[]")}
    assert [tuple(row) for row in published] == [("own", 0, 7, 2)]
    assert [tuple(row) for row in revoked] == [(None, 0)]


CERTIFICATE = """INSERT INTO ca_certificate (account, region, authority_id, serial, claim, order_digest, profile, status,
 certificate, not_before, not_after, created_at) VALUES ('1', 'r', 'own', :serial, :serial, :b, 'server', 'REVOKED',
 :certificate, :at, :at, :at)"""
REVOKED = """INSERT INTO ca_revocation (account, region, authority_id, serial, reason, revoked_at, not_after)
 VALUES ('1', 'r', 'own', :serial, :reason, :at, :at)"""


def test_keys_that_were_compromised_before_schema_0015_are_known(
    any_store_url: str, open_store: Callable[..., Store]
) -> None:
    path = Path(__file__).parents[2] / "certs-fixtures" / "lints" / "version" / "good.pem"
    leaf = x509.load_pem_x509_certificates(path.read_bytes())[0]
    store = open_store(any_store_url, create=False)
    with store._write_engine.begin() as connection:
        command.upgrade(schema.alembic_config(connection), "0014")
    values = {"at": MOMENT, "b": b"x", "certificate": leaf.public_bytes(Encoding.DER)}
    with store._write_engine.begin() as connection:
        for serial, reason in (("4b", "SUPERSEDED"), ("4c", "KEY_COMPROMISE"), ("4d", "KEY_COMPROMISE")):
            connection.execute(text(CERTIFICATE), values | {"serial": serial})
            connection.execute(text(REVOKED), {"at": MOMENT, "serial": serial, "reason": reason})
    store.migrate()
    with store._write_engine.begin() as connection:
        known = connection.execute(text("SELECT account, region, key_digest FROM ca_compromised_key")).all()
    public = leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert [(account, region, bytes(digest)) for account, region, digest in known] == [
        ("1", "r", hashlib.sha256(public).digest())
    ]
