"""Checkers compiled from the models: decoded values in, `Params` out, every breach of the model named.

A checker is made once per shape and protocol. It takes (value, path, problems), gives the value as `Params`
holds it, and appends to `problems`; a value of the wrong kind raises SerializationError at once, as AWS does.
"""

import threading
from collections.abc import Callable
from typing import Any

from foundation.wire.constraints import NOT_NULL, TESTS, Problem, refuse_problems, shown
from foundation.wire.messages import Params
from foundation.wire.models import ServiceModel, Shape
from foundation.wire.protocols import Codec
from foundation.wire.scalars import READERS, refuse

Checker = Callable[[Any, str, list[Problem]], Any]


class Checkers:
    """The checkers of one service in one protocol, each compiled at its first use. Thread-safe."""

    def __init__(self, model: ServiceModel, codec: Codec) -> None:
        self._model = model
        self._readers = READERS[codec]
        self._inputs: dict[str, Checker] = {}
        self._compiling = threading.Lock()
        self._compiled: dict[tuple[str, bool], Checker] = {}  # guarded by _compiling

    def check(self, operation: str, decoded: Any) -> Params:
        """The parameters of `operation`. Raises SerializationError or ValidationFailure."""
        name = self._model.operations[operation].input
        if not name:
            return {}
        checker = self._inputs.get(name) or self._input(name)
        problems: list[Problem] = []
        params: Params = checker(decoded, "", problems)
        refuse_problems(problems)
        return params

    def preload(self, operation: str) -> None:
        """Compile what `operation` needs now."""
        name = self._model.operations[operation].input
        if name:
            self._input(name)

    def _input(self, name: str) -> Checker:
        with self._compiling:
            self._inputs[name] = checker = self._checker(name, hidden=False)
        return checker

    def _checker(self, name: str, *, hidden: bool) -> Checker:
        shape = self._model.shapes[name]
        key = (name, hidden or shape.sensitive)
        known = self._compiled.get(key)
        if known is not None:
            return known

        # Shapes may contain themselves (acm's filter statements): what asks meanwhile finds its way back later.
        def later(value: Any, path: str, problems: list[Problem]) -> Any:
            return compiled(value, path, problems)

        self._compiled[key] = later
        compiled = self._compile(shape, hidden=key[1])
        self._compiled[key] = compiled
        return compiled

    def _compile(self, shape: Shape, *, hidden: bool) -> Checker:
        if shape.kind == "structure":
            return self._structure(shape, hidden=hidden)
        if shape.kind == "list":
            return self._list(shape, hidden=hidden)
        if shape.kind == "map":
            return self._map(shape, hidden=hidden)
        return self._scalar(shape, hidden=hidden)

    def _scalar(self, shape: Shape, *, hidden: bool) -> Checker:
        read = self._readers[shape.kind]
        test = TESTS[shape.kind](shape)

        def check(value: Any, path: str, problems: list[Problem]) -> Any:
            result = read(value, path)
            broken = test(result)
            if broken:
                text = None if hidden else shown(result)
                problems.extend(Problem(path, text, constraint) for constraint in broken)
            return result

        return check

    def _structure(self, shape: Shape, *, hidden: bool) -> Checker:
        members = {
            name: (self._checker(target, hidden=hidden), _spelled(name))
            for name, target in shape.members.items()
        }
        required = tuple((name, _spelled(name)) for name in shape.required)

        def check(value: Any, path: str, problems: list[Problem]) -> Params:
            if type(value) is not dict:
                refuse(path, "a structure")
            prefix = f"{path}." if path else ""
            result: Params = {}
            for name, given in value.items():
                member = members.get(name)
                if member is not None and given is not None:  # unknown members and nulls count as absent
                    checker, spelled = member
                    result[name] = checker(given, prefix + spelled, problems)
            for name, spelled in required:
                if name not in result:
                    problems.append(Problem(prefix + spelled, "null", NOT_NULL))
            if shape.union and len(result) != 1:
                refuse(path, "a union with exactly one member set")
            return result

        return check

    def _list(self, shape: Shape, *, hidden: bool) -> Checker:
        checker = self._checker(shape.element, hidden=hidden)
        test = TESTS["list"](shape)
        nested = self._model.shapes[shape.element].kind in ("structure", "list", "map")

        def check(value: Any, path: str, problems: list[Problem]) -> list[Any]:
            if type(value) is not list:
                refuse(path, "a list")
            problems.extend(Problem(path, None, constraint) for constraint in test(value))
            inner: list[Problem] = problems if nested else []
            result = []
            for number, element in enumerate(value, 1):
                if element is None:
                    refuse(path, "a list without nulls")
                result.append(checker(element, f"{path}.{number}.member", inner))
            if not nested:
                _summarise(path, "Member must satisfy constraint", inner, problems)
            return result

        return check

    def _map(self, shape: Shape, *, hidden: bool) -> Checker:
        key_checker = self._checker(shape.key, hidden=hidden)
        value_checker = self._checker(shape.value, hidden=hidden)
        test = TESTS["map"](shape)

        def check(value: Any, path: str, problems: list[Problem]) -> dict[str, Any]:
            if type(value) is not dict:
                refuse(path, "a map")
            problems.extend(Problem(path, None, constraint) for constraint in test(value))
            in_keys: list[Problem] = []
            in_values: list[Problem] = []
            result = {}
            for key, element in value.items():
                if element is None:
                    refuse(path, "a map without nulls")
                result[key_checker(key, path, in_keys)] = value_checker(element, path, in_values)
            _summarise(path, "Map keys must satisfy constraint", in_keys, problems)
            _summarise(path, "Map value must satisfy constraint", in_values, problems)
            return result

        return check


def _summarise(path: str, words: str, inner: list[Problem], problems: list[Problem]) -> None:
    """AWS names the constraints that elements of a list or map break, once each, at the container's path."""
    if inner:
        broken = ", ".join(dict.fromkeys(problem.constraint for problem in inner))
        problems.append(Problem(path, None, f"{words}: [{broken}]"))


def _spelled(member: str) -> str:
    return member[:1].lower() + member[1:]
