"""Profiles of CA certificates that are like another, or confined by name constraints."""

import ipaddress
from dataclasses import dataclass, replace
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from ca.errors import OrderRefused
from ca.lints.case import extension
from ca.profiles import PROFILES, Profile

CROSS: Final = "cross"  # another certificate for a CA's name and key, by whom its own is not
ALL_ADDRESSES: Final = ("0.0.0.0/0", "::/0")


@dataclass(frozen=True, slots=True)
class Confinement:
    """Names that a CA may, and may not, issue for: RFC 5280 4.2.1.10's subtrees by kind ("dns", "ip", "email", "uri").

    "example.test" stands for itself and all below it. IP subtrees are networks.
    """

    permitted: tuple[tuple[str, str], ...] = ()
    excluded: tuple[tuple[str, str], ...] = ()

    def constraints(self) -> x509.NameConstraints | None:
        """The extension, or None when nothing is confined. Raises OrderRefused."""
        if not self.permitted and not self.excluded:
            return None
        return x509.NameConstraints(
            permitted_subtrees=[_subtree(*each) for each in self.permitted] or None,
            excluded_subtrees=[_subtree(*each) for each in self.excluded] or None,
        )


UNCONFINED: Final = Confinement()


def _dns(text: str) -> x509.GeneralName:
    name = text.removeprefix(".").lower()
    if not name.isascii() or "*" in name or not name or any(not label for label in name.split(".")):
        raise ValueError("a DNS subtree is a domain, such as corp.example.test, without a wildcard")
    return x509.DNSName(name)


def _subtree(kind: str, text: str) -> x509.GeneralName:
    try:
        if kind == "dns":
            return _dns(text)
        if kind == "ip":
            return x509.IPAddress(ipaddress.ip_network(text))
        if kind == "email":
            return x509.RFC822Name(text)
        if kind == "uri":
            return x509.UniformResourceIdentifier(text)
    except ValueError as error:
        raise OrderRefused(f"{text[:200]!r} is no {kind} subtree of name constraints: {error}") from error
    raise OrderRefused(f"there are name constraints of kind dns, ip, email and uri, not {kind!r}")


def confined(profile: Profile, path_length: int | None, confinement: Confinement) -> Profile:
    """The CA profile with that path length and those name constraints, which are critical. Raises OrderRefused."""
    return _with_constraints(replace(profile, path_length=path_length), confinement.constraints())


def like(certificate: x509.Certificate, profile: Profile) -> Profile:
    """The CA profile with what the certificate says of path length, names and purposes."""
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    made = _with_constraints(
        replace(profile, path_length=constraints.path_length), extension(certificate, x509.NameConstraints)
    )
    purposes = extension(certificate, x509.ExtendedKeyUsage)
    if purposes is None:
        return made
    extensions = {**made.extensions, ExtensionOID.EXTENDED_KEY_USAGE: False}
    return replace(made, extended_key_usage=frozenset(purposes), extensions=extensions)


def cross_profile(certificate: x509.Certificate, issuer: x509.Certificate) -> Profile:
    """How another CA certifies the name and key of this one: as its own certificate says, but for who signs.

    The path length fits below the issuer's; a certificate of the issuer's own name is not counted there (RFC 5280
    4.2.1.9). Raises OrderRefused when there is no room for a CA below the issuer.
    """
    rollover = certificate.subject == issuer.subject
    made = replace(like(certificate, PROFILES["subordinate"]), name=CROSS, rollover=rollover)
    above = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length
    if above is None:
        return made
    room = above if rollover else above - 1
    if room < 0:
        raise OrderRefused("the issuer's path length of 0 allows no CA below it")
    return replace(made, path_length=room if made.path_length is None else min(made.path_length, room))


def _with_constraints(profile: Profile, constraints: x509.NameConstraints | None) -> Profile:
    if constraints is None:
        return profile
    extensions = {**profile.extensions, ExtensionOID.NAME_CONSTRAINTS: True}
    return replace(profile, extensions=extensions, more=(*profile.more, (constraints, True)))
