"""Identifiers."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from foundation.wire import uuid_text


@given(st.binary(min_size=16, max_size=16))
def test_an_id_is_the_version_4_uuid_of_its_octets(octets: bytes) -> None:
    assert uuid_text(octets) == str(uuid.UUID(bytes=octets, version=4))
