"""What a certificate says of where its issuer publishes: decided once, as it is drawn up (ca.locations has the places)."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from ca.locations import pointers, shard_of
from ca.orders import CaSettings
from ca.profiles import PROFILES, Profile
from ca.revocation_settings import read_settings
from ca.sinks import ObjectSink

POINTERS = frozenset({ExtensionOID.AUTHORITY_INFORMATION_ACCESS, ExtensionOID.CRL_DISTRIBUTION_POINTS})


class Issuer(Protocol):
    """What is asked of an issuer: see `AuthorityRow`."""

    @property
    def id(self) -> str: ...

    @property
    def revocation(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Pointing:
    """Gives certificates the pointers of their issuer. `public_url`: see `CaSettings`. `sink` has the issuer's bucket."""

    public_url: str
    sink: ObjectSink | None

    @classmethod
    def by(cls, settings: CaSettings, sink: ObjectSink | None) -> "Pointing":
        return cls(settings.public_url, sink)

    def shard(self, issuer: Issuer, serial: int) -> int | None:
        """Which of the issuer's CRLs will list this serial, for as long as the certificate lives."""
        return shard_of(serial, read_settings(issuer.revocation))

    def profile(self, profile: Profile, issuer: Issuer, shard: int | None) -> Profile:
        """The profile with the issuer's pointers.

        What the issuer's configuration demands (CRL, OCSP) replaces what a passthrough brought, so that nobody chooses
        for himself where his revocation is looked up; caIssuers alone yields to it.
        """
        if ExtensionOID.OCSP_NO_CHECK in profile.extensions:
            return profile  # an OCSP signer: nobody looks it up (RFC 6960 4.2.2.2.1)
        settings = read_settings(issuer.revocation)
        address = self.bucket_url(settings.bucket)
        if PROFILES.get(profile.name) is profile:
            return _own(profile.name, issuer.id, issuer.revocation, shard, self.public_url, address)
        places = pointers(issuer.id, issuer.revocation, shard, self.public_url, address)
        brought = {value.oid for value, _ in profile.more}
        if not settings.ocsp and ExtensionOID.AUTHORITY_INFORMATION_ACCESS in brought:
            places = tuple(each for each in places if not isinstance(each, x509.AuthorityInformationAccess))
        return with_pointers(profile, places)

    def bucket_url(self, bucket: str | None) -> str | None:
        """The URL of a bucket that clients can read; see `ObjectSink.address`."""
        return None if bucket is None or self.sink is None else self.sink.address(bucket)


@lru_cache(maxsize=4096)
def _own(  # noqa: PLR0917 - a profile's name, and what `pointers` takes
    name: str, authority_id: str, revocation: str, shard: int | None, public_url: str, bucket_url: str | None
) -> Profile:
    """One of keystead's own profiles, which bring no pointers: made once for an issuer."""
    return with_pointers(PROFILES[name], pointers(authority_id, revocation, shard, public_url, bucket_url))


def with_pointers(profile: Profile, places: tuple[x509.ExtensionType, ...]) -> Profile:
    """The profile with these extensions, in place of any of their kinds that it had."""
    if not places:
        return profile
    kinds = {each.oid for each in places}
    kept = tuple((value, critical) for value, critical in profile.more if value.oid not in kinds)
    return replace(
        profile,
        extensions={**profile.extensions, **dict.fromkeys(kinds, False)},
        more=(*kept, *((each, False) for each in places)),
    )


def as_drafted(profile: Profile, draft: x509.Certificate) -> Profile:
    """The profile with the pointers of a draft from an earlier time: they were right when its serial was given out."""
    return with_pointers(profile, tuple(each.value for each in draft.extensions if each.oid in POINTERS))
