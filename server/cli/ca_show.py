"""`keystead ca show`"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from server.cli.shared import call, data_option

SOON = 30  # days
Node = dict[str, Any]


@click.command()
@data_option
@click.option("--account", metavar="ID", help="Whose authorities; by default the deployment's first account.")
@click.option("--region", default="us-east-1", show_default=True, help="The Region they are in.")
@click.option(
    "--all", "every", is_flag=True, help="Those of every account and Region, and the deployment's own."
)
@click.option("--json", "as_json", is_flag=True, help="JSON, for scripts.")
def show(data: Path, account: str | None, region: str, every: bool, as_json: bool) -> None:
    """Draw the hierarchy: who is below whom, in what state, until when, and how fresh its CRL is.

    A CRL is "old" when the next one is late, and "expired" when clients refuse it. An authority that changed its key
    names its successor; a locked one says so, or until when it is unlocked.

    \b
    Examples:
      keystead ca show --data ./data
      keystead ca show --data ./data --all --json | jq '.authorities[].days_left'
    """
    found = call(data, "ca.show", {"account": account, "region": region, "every": every})
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    trees: list[Node] = found["authorities"]
    if not trees:
        click.echo(
            "There are no authorities here: `keystead ca init` makes two, `keystead ca import` brings one in."
        )
    place = ""
    for tree in trees:
        if every and place != (place := f"{tree['account']} in {tree['region']}"):
            click.echo(f"{place}:")
        for line in drawn(tree):
            click.echo(line)


def drawn(node: Node, first: str = "", rest: str = "") -> Iterator[str]:
    """The tree's lines: each authority has two or more, behind lines that lead to it."""
    below: list[Node] = node["below"]
    stem = rest + ("│ " if below else "  ")
    yield f"{first}{node['subject']}  [{', '.join(_states(node))}]"
    yield f"{stem}{node['key_spec']}{_origin(node)}, {_expiry(node)}, {_crl(node)}"
    yield f"{stem}{node['arn']}"
    if node["successor_arn"]:
        yield f"{stem}its key was changed: {node['successor_arn']} issues"
    for cross in node["crosses"]:
        yield f"{stem}also certified by {cross['issuer_arn']} until {cross['not_after'][:10]}: {cross['path']}"
    for index, child in enumerate(below):
        last = index == len(below) - 1
        yield from drawn(child, rest + ("└─ " if last else "├─ "), rest + ("   " if last else "│  "))


def _states(node: Node) -> list[str]:
    locked = node["locked"]
    states = [node["kind"].lower(), node["status"]]
    if locked is not None:
        states.append("locked" if locked == "locked" else f"unlocked until {locked}")
    return states


def _origin(node: Node) -> str:
    return " (brought in)" if node["key_origin"] == "EXTERNAL" else ""


def _expiry(node: Node) -> str:
    days = node["days_left"]
    if days is None:
        return "no certificate yet"
    if days < 0:
        return f"expired {node['not_after'][:10]}"
    return f"{'ONLY ' if days < SOON else ''}{days} days left, until {node['not_after'][:10]}"


def _crl(node: Node) -> str:
    crl = node["crl"]
    match crl["freshness"]:
        case "off":
            return "no CRL"
        case "none":
            return "CRL not published yet"
        case freshness:
            return f"CRL {crl['number']} {freshness.upper() if freshness != 'fresh' else freshness}, next by {crl['next_update']}"
