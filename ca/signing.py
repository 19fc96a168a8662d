"""The only functions that make a CA key sign: a ticket becomes a certificate, the body of a CRL a CRL."""

from cryptography.exceptions import InvalidSignature

from ca import der
from ca.algorithms import SignatureAlgorithm, SigningKey, algorithm_of, sign, verify
from ca.errors import SignatureMismatch
from ca.keys import CA_KEY_SPECS, authority_key
from ca.tables import AuthorityRow
from ca.ticket import Ticket
from kms.hsm import Asker, CoreClient, KeyLabel, signing_handle


class Signer:
    """Signs with authorities' keys, by handle: the key stays in the core, which records each use."""

    def __init__(self, core: CoreClient, asker: Asker) -> None:
        self._core = core
        self._asker = asker

    def certificate(self, ticket: Ticket, authority: AuthorityRow) -> bytes:
        """Use up the ticket: the certificate in DER, its signature checked with the authority's public key.

        Signing the same bytes again gives the same certificate (RFC 6979, PKCS#1 v1.5). Raises the core's errors,
        and SignatureMismatch.
        """
        tbs = ticket.redeem()
        how = algorithm_of(tbs)
        handle = signing_handle(
            self._core,
            authority.key_token,
            key_label(authority),
            self._asker,
            authority.public_key,
            "ca-certificate" if ticket.profile.ca else "certificate",
        )
        assert isinstance(handle, SigningKey)  # CA_KEY_SPECS has no others
        signature = sign(handle, tbs, how)
        _verify(authority, signature, tbs, how)
        return der.certificate(tbs, signature)

    def revocation_list(self, tbs: bytes, authority: AuthorityRow) -> bytes:
        """The CRL in DER for its TBSCertList, its signature checked with the authority's public key."""
        handle = signing_handle(
            self._core, authority.key_token, key_label(authority), self._asker, authority.public_key, "crl"
        )
        assert isinstance(handle, SigningKey)  # CA_KEY_SPECS has no others
        how = CA_KEY_SPECS[authority.key_spec]
        signature = sign(handle, tbs, how)
        _verify(authority, signature, tbs, how)
        return der.certificate(tbs, signature)


def key_label(authority: AuthorityRow) -> KeyLabel:
    """The name that the core binds the authority's key to."""
    return KeyLabel(
        purpose="ca",
        account=authority.account,
        region=authority.region,
        key_id=authority.id,
        version=1,
        spec=authority.key_spec,
    )


def _verify(authority: AuthorityRow, signature: bytes, signed: bytes, how: SignatureAlgorithm) -> None:
    try:
        verify(authority_key(authority.public_key), signature, signed, how)
    except InvalidSignature as error:
        raise SignatureMismatch(
            f"the core's signature does not match the key of authority {authority.id}"
        ) from error
