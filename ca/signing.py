"""The only functions that make a CA key sign: a ticket becomes a certificate, the body of a CRL a CRL."""

from cryptography.exceptions import InvalidSignature

from ca import der
from ca.algorithms import SignatureAlgorithm, SigningKey, algorithm_of, sign, verify
from ca.errors import AuthorityState, SignatureMismatch
from ca.keys import CA_KEY_SPECS, authority_key
from ca.tables import AuthorityRow
from ca.ticket import Ticket
from kms.hsm import Asker, CoreClient, KeyLabel, KeyRefused, Kind, is_locked, signing_handle, window_end


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
        signature = self._sign(authority, _kind(ticket), tbs, how)
        _verify(authority, signature, tbs, how)
        return der.certificate(tbs, signature)

    def revocation_list(self, tbs: bytes, authority: AuthorityRow) -> bytes:
        """The CRL in DER for its TBSCertList, its signature checked with the authority's public key."""
        how = CA_KEY_SPECS[authority.key_spec]
        signature = self._sign(authority, "crl", tbs, how)
        _verify(authority, signature, tbs, how)
        return der.certificate(tbs, signature)

    def _sign(self, authority: AuthorityRow, kind: Kind, tbs: bytes, how: SignatureAlgorithm) -> bytes:
        """Raises AuthorityState for a key that is locked, or whose window is over."""
        label, token = key_label(authority), authority.key_token
        handle = signing_handle(self._core, token, label, self._asker, authority.public_key, kind)
        assert isinstance(handle, SigningKey)  # CA_KEY_SPECS has no others
        try:
            return sign(handle, tbs, how)
        except KeyRefused as refused:
            if is_locked(token) or window_end(token) is not None:
                raise AuthorityState(authority.id, "locked", f"sign: {refused}") from refused
            raise


def _kind(ticket: Ticket) -> Kind:
    if not ticket.profile.ca:
        return "certificate"
    return "rollover" if ticket.profile.rollover else "ca-certificate"


def key_label(authority: AuthorityRow) -> KeyLabel:
    """The name that the core binds the authority's key to."""
    return KeyLabel(
        purpose="ca",
        account=authority.account,
        region=authority.region,
        key_id=authority.id,
        version=1,
        spec=authority.key_spec,
        origin=authority.key_origin,
    )


def _verify(authority: AuthorityRow, signature: bytes, signed: bytes, how: SignatureAlgorithm) -> None:
    try:
        verify(authority_key(authority.public_key), signature, signed, how)
    except InvalidSignature as error:
        raise SignatureMismatch(
            f"the core's signature does not match the key of authority {authority.id}"
        ) from error
