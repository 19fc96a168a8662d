"""The registry in which a slice declares, by the model's own names, the operations it answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

from foundation.wire.messages import Params
from foundation.wire.models import operation_names

Handler = Callable[[Any, Params], Params]
Resolver = Callable[[Any, Params], Any]
H = TypeVar("H", bound=Handler)

READING_VERBS = ("Get", "List", "Describe", "Lookup", "Search", "BatchGet")


@dataclass(frozen=True, slots=True)
class Operation:
    """One declared operation.

    ``handler(service, params)`` gives the result's members. ``on(service, params)`` gives the resource that
    ``action`` ("acm:RequestCertificate") is asked about; None: the action is asked about no resource.
    ``mutates`` says whether a success changes what is stored, so that its event goes into the same commit.
    """

    service: str
    name: str
    handler: Handler
    on: Resolver | None
    action: str
    mutates: bool


class Operations:
    """The operations of one service (botocore's name). A service or name that the models lack raises LookupError."""

    def __init__(self, service: str, *, action_prefix: str | None = None) -> None:
        self.service = service
        self._prefix = action_prefix or service
        self._known = operation_names(service)
        self._declared: dict[str, Operation] = {}

    def operation(
        self,
        name: str,
        *,
        on: Resolver | None = None,
        action: str | None = None,
        mutates: bool | None = None,
    ) -> Callable[[H], H]:
        """Declare the decorated handler; ``mutates`` defaults from the verb (Get, List, Describe ...: False).

        Raises LookupError for a name that the model lacks, ValueError for one declared twice.
        """
        if name not in self._known:
            raise LookupError(f"{self.service} has no operation {name}")
        if name in self._declared:
            raise ValueError(f"{self.service} {name} is declared twice")
        changes = not name.startswith(READING_VERBS) if mutates is None else mutates

        def declare(handler: H) -> H:
            self._declared[name] = Operation(
                self.service, name, handler, on, action or f"{self._prefix}:{name}", changes
            )
            return handler

        return declare

    @property
    def declared(self) -> Mapping[str, Operation]:
        """The declared operations by name."""
        return MappingProxyType(self._declared)

    @property
    def gaps(self) -> tuple[str, ...]:
        """The model's operations that nobody declared, for the generated docs/operations.md."""
        return tuple(sorted(self._known - self._declared.keys()))
