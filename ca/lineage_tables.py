"""What binds authorities beyond their own rows: who succeeded whom, who else certified whom, and whose key is locked."""

from datetime import datetime

from sqlmodel import Field

from foundation.store import Tenant, UtcDateTime


class SuccessionRow(Tenant, table=True):
    """An authority that changed its key: what it is asked for is issued by its successor, under the same name."""

    __tablename__ = "ca_succession"

    authority_id: str = Field(primary_key=True)  # the one with the old key, which keeps its CRLs
    successor_id: str
    succeeded_at: datetime = Field(sa_type=UtcDateTime)


class CrossRow(Tenant, table=True):
    """Another certificate for an authority's name and key, beside its own. Rows are never changed."""

    __tablename__ = "ca_cross_certificate"

    authority_id: str = Field(primary_key=True)  # whose name and key it certifies
    number: int = Field(primary_key=True)  # counts from 1; /pki/ID/chains/NUMBER.pem
    issuer_id: str  # the authority that signed it
    serial: str
    certificate: bytes  # DER
    chain: bytes  # the issuer's own certificate and those above it, DER, root last
    not_after: datetime = Field(sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)


class LockRow(Tenant, table=True):
    """An offline authority: its row's `key_token` opens nothing but in a window that an operator opened."""

    __tablename__ = "ca_lock"

    authority_id: str = Field(primary_key=True)
    locked_token: bytes  # see kms.hsm.locks; what each window is made of
    crl_days: int  # how long its CRLs live: the next one needs an operator
    locked_at: datetime = Field(sa_type=UtcDateTime)
    unlocked_until: datetime | None = Field(default=None, sa_type=UtcDateTime)  # by the wall clock
