"""The table of kinds is whole, and its sentences are for people."""

import string

import pytest

from validation import Kind, ValidationFailed
from validation.errors import SENTENCES, TRANSIENT


class Anything(dict[str, object]):
    """Every fact that a sentence may ask for."""

    def __missing__(self, key: str) -> object:
        return 5.0 if key == "seconds" else f"<{key}>"


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_a_sentence_that_names_what_it_is_about(kind: Kind) -> None:
    facts = [name for _, name, _, _ in string.Formatter().parse(SENTENCES[kind]) if name]
    assert facts
    failed = ValidationFailed(kind, **{name: Anything()[name] for name in facts})
    assert failed.detail == str(failed)
    assert failed.detail.isascii()
    assert failed.transient == (kind in TRANSIENT)


def test_a_sentence_without_its_facts_is_a_fault_of_ours() -> None:
    with pytest.raises(KeyError):
        ValidationFailed(Kind.LOOP, name="a.example.test")
