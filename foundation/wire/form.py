"""The query protocol's forms: flat ``Tags.member.1.Key=...`` pairs made into the nested values they mean."""

from typing import Any, Final
from urllib.parse import parse_qsl

from foundation.wire.errors import SerializationError
from foundation.wire.limits import DEPTH, NODES
from foundation.wire.models import ServiceModel, Shape

_MAX_INDEX_DIGITS: Final = 9
Tree = dict[str, Any]
"""Members by name; a leaf is a string, a branch another tree."""


def parse_form(encoded: bytes | str) -> dict[str, str]:
    """The pairs of a form or a query string; of repeated names the last counts. Raises SerializationError."""
    try:
        text = encoded.decode("ascii") if isinstance(encoded, bytes) else encoded
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=NODES)
    except ValueError as error:  # not ASCII, not UTF-8 inside the escapes, or too many
        raise SerializationError("The form cannot be read.") from error
    form = dict(pairs)
    for name, value in form.items():
        _refuse_surrogates(name)
        _refuse_surrogates(value)
    return form


def nest(form: dict[str, str], model: ServiceModel, operation: str) -> Tree:
    """The form as nested members of the operation's input. Raises SerializationError."""
    name = model.operations[operation].input
    if not name:
        return {}
    tree: Tree = {}
    budget = NODES
    for dotted, value in form.items():
        steps = dotted.split(".", DEPTH)
        budget -= len(steps)
        if len(steps) > DEPTH or budget < 0:
            raise SerializationError("The form is nested too deeply or too large.")
        _plant(tree, steps, value)
    return _members(tree, model.shapes[name], model)


def _plant(tree: Tree, steps: list[str], value: str) -> None:
    for step in steps[:-1]:
        tree = tree.setdefault(step, {})
        if not isinstance(tree, dict):
            raise SerializationError(f"The form gives both a value and members to {step!r:.100}.")
    if isinstance(tree.get(steps[-1]), dict):
        raise SerializationError(f"The form gives both a value and members to {steps[-1]!r:.100}.")
    tree[steps[-1]] = value


def _members(tree: Tree, shape: Shape, model: ServiceModel) -> Tree:
    return {
        name: _shaped(tree[name], model.shapes[target], model)
        for name, target in shape.members.items()
        if name in tree
    }


def _shaped(node: Any, shape: Shape, model: ServiceModel) -> Any:
    """The node as the shape's kind of container; scalars, and what does not fit, are left to the checkers."""
    if shape.kind == "list":
        elements = _entries(node, "member")
        return [_shaped(element, model.shapes[shape.element], model) for element in elements]
    if shape.kind == "map":
        return dict(_pair(entry, shape, model) for entry in _entries(node, "entry"))
    if shape.kind == "structure" and isinstance(node, dict):
        return _members(node, shape, model)
    return node


def _entries(node: Any, word: str) -> list[Any]:
    """The elements under ``member.N`` or ``entry.N``, in the order of N. ``Name=`` alone is an empty list."""
    if node == "":
        return []
    numbered = node.get(word) if isinstance(node, dict) else None
    if not isinstance(numbered, dict):
        raise SerializationError(
            f"The form must number the elements of a list: {word}.1, {word}.2 and so on."
        )
    for number in numbered:
        if not (number.isascii() and number.isdigit() and len(number) <= _MAX_INDEX_DIGITS):
            raise SerializationError("The form numbers an element of a list with something else than digits.")
    return [numbered[number] for number in sorted(numbered, key=int)]


def _pair(entry: Any, shape: Shape, model: ServiceModel) -> tuple[str, Any]:
    if not isinstance(entry, dict) or not isinstance(entry.get("key"), str) or "value" not in entry:
        raise SerializationError("The form must give each entry of a map a key and a value.")
    return entry["key"], _shaped(entry["value"], model.shapes[shape.value], model)


def _refuse_surrogates(text: str) -> None:
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise SerializationError("The form holds half of a surrogate pair.")
