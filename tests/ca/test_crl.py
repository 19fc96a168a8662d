"""The bytes of a CRL are those that pyca's builder would write, entry by entry and extension by extension."""

from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from ca import der
from ca.algorithms import USUAL
from ca.crl import Contents, to_be_signed
from ca.states import REVOCATION_REASONS

WHEN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Issuing CA")])
KEY_ID = bytes(range(20))
URLS = ("http://ca.example.test/pki/a.crl", "http://old.example.test/pki/a.crl")
Entries = list[tuple[str, datetime, str]]


def contents(entries: Entries, number: int = 1, urls: tuple[str, ...] = ()) -> Contents:
    return Contents(
        algorithm=USUAL["EC_prime256v1"].identifier,
        issuer=NAME.public_bytes(),
        key_identifier=KEY_ID,
        number=number,
        this_update=WHEN,
        next_update=WHEN + timedelta(days=7),
        entries=entries,
        urls=urls,
    )


def by_pyca(entries: Entries, number: int, urls: tuple[str, ...]) -> bytes:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(NAME)
        .last_update(WHEN)
        .next_update(WHEN + timedelta(days=7))
        .add_extension(x509.AuthorityKeyIdentifier(KEY_ID, None, None), critical=False)
        .add_extension(x509.CRLNumber(number), critical=False)
    )
    if urls:
        names = [x509.UniformResourceIdentifier(url) for url in urls]
        builder = builder.add_extension(
            x509.IssuingDistributionPoint(names, None, False, False, None, False, False),
            critical=True,
        )
    for serial, when, reason in entries:
        entry = x509.RevokedCertificateBuilder().serial_number(int(serial, 16)).revocation_date(when)
        if reason != "UNSPECIFIED":
            entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags(REVOCATION_REASONS[reason])), False)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(key(), hashes.SHA256()).tbs_certlist_bytes


@cache
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


entry = st.tuples(
    st.integers(min_value=1, max_value=(1 << 159) - 1).map(lambda number: f"{number:x}"),
    st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2099, 1, 1)).map(  # noqa: DTZ001 - made aware next
        lambda when: when.replace(microsecond=0, tzinfo=UTC)
    ),
    st.sampled_from(sorted(REVOCATION_REASONS)),
)


@given(st.lists(entry, max_size=5), st.integers(min_value=0, max_value=1 << 64))
def test_a_list_is_what_pyca_would_have_written(entries: Entries, number: int) -> None:
    for urls in ((), URLS[:1], URLS):
        assert to_be_signed(contents(entries, number, urls)) == by_pyca(entries, number, urls)


def test_a_complete_list_has_no_distribution_point_and_an_empty_one_no_entries() -> None:
    signed = der.certificate(to_be_signed(contents([])), b"\x00")
    parsed = x509.load_der_x509_crl(signed)
    assert len(parsed) == 0
    with pytest.raises(x509.ExtensionNotFound):
        parsed.extensions.get_extension_for_class(x509.IssuingDistributionPoint)
