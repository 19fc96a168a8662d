"""Principals in storage: unique ids in place of ARNs, so that a recreated name inherits nothing.

As in AWS, a policy is stored with the ids and shown with the ARNs that they have now; a deleted principal
shows as its id.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from foundation.identity.policy.document import Document, from_tree
from foundation.identity.policy.errors import MalformedPolicy
from foundation.identity.policy.principals import account_of, is_service_name, session_of

__all__ = ["Lookup", "pin", "pin_principal", "show", "show_principal"]

Lookup = Callable[[str], str | None]
ELEMENTS: Final = ("Principal", "NotPrincipal")


def pin(document: Document, lookup: Lookup) -> Document:
    """Return the document as it is stored. Raise MalformedPolicy when a principal does not exist, services among them.

    `lookup` gives the unique id of a user or role by ARN, an account's id by its root's ARN, the role's id by
    the ARN of a session (role names are unique in an account, whatever their path), an id for itself while
    its principal exists, and None for what does not exist.
    """
    _check_services(document)
    return _renamed(document, lambda name: pin_principal(name, lookup))


def pin_principal(name: str, lookup: Lookup) -> str:
    """Return one principal as it is stored; accounts are the ARN of their root. Raise MalformedPolicy."""
    account = account_of(name)
    known = lookup(f"arn:aws:iam::{account}:root" if account else name) if name != "*" else "*"
    if known is None:
        raise MalformedPolicy(f"Invalid principal in policy: {name!r} does not exist.")
    session = session_of(name)
    if account:
        return f"arn:aws:iam::{account}:root"
    return f"{known}:{session[2]}" if session else known


def show(document: Document, arn_of: Lookup) -> Document:
    """Return the stored document as its readers see it. `arn_of` gives a user's or role's ARN by unique id."""
    return _renamed(document, lambda name: show_principal(name, arn_of))


def show_principal(name: str, arn_of: Lookup) -> str:
    """Return one stored principal as its readers see it: an ARN, or the id of what was deleted."""
    if name.startswith("arn:") or name == "*":
        return name
    unique_id, _, session = name.partition(":")
    arn = arn_of(unique_id)
    if arn is None:
        return name
    if not session:
        return arn
    account, role = arn.split(":")[4], arn.rpartition("/")[2]
    return f"arn:aws:sts::{account}:assumed-role/{role}/{session}"


def _check_services(document: Document) -> None:
    for statement in _statements(document):
        for element in ELEMENTS:
            named = statement.get(element)
            services = named.get("Service", ()) if isinstance(named, dict) else ()
            for name in (services,) if isinstance(services, str) else services:
                if not is_service_name(name):
                    raise MalformedPolicy(f"Invalid principal in policy: {name!r} is no AWS service.")


def _statements(document: Document) -> list[Mapping[str, Any]]:
    written = document.tree["Statement"]
    return written if isinstance(written, list) else [written]


def _renamed(document: Document, rename: Callable[[str], str]) -> Document:
    statements = [_statement(statement, rename) for statement in _statements(document)]
    listed = isinstance(document.tree["Statement"], list)
    tree = {**document.tree, "Statement": statements if listed else statements[0]}
    return from_tree(tree, document.kind)


def _statement(statement: Mapping[str, Any], rename: Callable[[str], str]) -> dict[str, Any]:
    renamed = dict(statement)
    for element in ELEMENTS:
        named = statement.get(element)
        if not isinstance(named, dict) or "AWS" not in named:
            continue
        names = named["AWS"]
        pinned = [rename(name) for name in names] if isinstance(names, list) else rename(names)
        renamed[element] = {**named, "AWS": pinned}
    return renamed
