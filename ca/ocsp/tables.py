"""What the OCSP responder keeps: the delegated signers of each authority. Answers are kept in memory only."""

from datetime import datetime

from sqlmodel import Field

from foundation.store import Tenant, UtcDateTime


class SignerRow(Tenant, table=True):
    """A delegated OCSP signer of an authority (RFC 6960 4.2.2.2); its key is made first, its certificate follows.

    Signers are counted from 1; the newest that has a certificate signs.
    """

    __tablename__ = "ca_ocsp_signer"

    authority_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    key_token: bytes  # only the core can open it
    public_key: bytes  # SPKI, DER
    certificate: bytes | None  # DER
    not_before: datetime | None = Field(sa_type=UtcDateTime)
    not_after: datetime | None = Field(sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)
