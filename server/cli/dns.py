"""`keystead dns`"""

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from server.setting_values import address

if TYPE_CHECKING:
    from validation.testdns import ZoneSpec


def _zones(zones: tuple[str, ...], files: tuple[str, ...], records: tuple[str, ...]) -> "list[ZoneSpec]":
    """The zones with their records; each record goes to the longest zone that holds its name."""
    from validation.testdns import ZoneSpec

    lines: dict[str, list[str]] = {name.rstrip("."): [] for name in zones}
    read: dict[str, Path | None] = dict.fromkeys(lines)
    for given in files:
        name, equals, path = given.partition("=")
        if not equals:
            raise click.BadParameter(f"{given!r} must look like NAME=FILE", param_hint="--zone-file")
        lines.setdefault(name.rstrip("."), [])
        read[name.rstrip(".")] = Path(path)
    for record in records:
        owner = record.split(maxsplit=1)[0].rstrip(".").lower() if record.strip() else ""
        holding = [name for name in lines if owner == name.lower() or owner.endswith(f".{name.lower()}")]
        if not holding:
            raise click.BadParameter(f"no zone holds {record!r}", param_hint="--record")
        lines[max(holding, key=len)].append(
            f"{owner}. {record.split(maxsplit=1)[1]}" if " " in record else record
        )
    return [ZoneSpec(name, read[name], records) for name, records in lines.items()]


@click.command()
@click.option(
    "--listen",
    default="127.0.0.1:5353",
    show_default=True,
    metavar="HOST:PORT",
    help="UDP and TCP; port 0 takes a free one.",
)
@click.option("--zone", "zones", multiple=True, metavar="NAME", help="A zone to answer for; may be repeated.")
@click.option(
    "--zone-file",
    "files",
    multiple=True,
    metavar="NAME=FILE",
    help="A zone whose records are in a zone file (RFC 1035); may be repeated.",
)
@click.option(
    "--record",
    "records",
    multiple=True,
    metavar="'NAME TYPE DATA'",
    help="A record of the zone that holds NAME, e.g. 'www.example.test. A 192.0.2.1'; may be repeated.",
)
def dns(listen: str, zones: tuple[str, ...], files: tuple[str, ...], records: tuple[str, ...]) -> None:
    """Run a small authoritative DNS server: records in memory, changed by dynamic updates (RFC 2136) from loopback.

    For tests and demonstrations; not for production. It prints its address, and ends on SIGTERM or Ctrl-C.

    \b
    Examples:
      keystead dns --zone example.test --record 'www.example.test. A 192.0.2.1'
      keystead serve --data ./data --resolver 127.0.0.1:5353       # validation asks this server
      printf 'server 127.0.0.1 5353\\nupdate add a.example.test 60 TXT hi\\nsend\\n' | nsupdate
    """
    from validation.errors import BadName
    from validation.testdns import BadZone, DnsServer, ListenFailed, run

    try:
        at = address(listen)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--listen") from error
    if not zones and not files:
        raise click.UsageError("name at least one zone: --zone example.test")

    def ready(server: DnsServer) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: server.stop())
        host, port = server.address
        click.echo(f"keystead dns: answering on {host}:{port} (UDP and TCP)")

    try:
        run(at, _zones(zones, files, records), ready=ready)
    except (BadName, BadZone, ListenFailed) as error:
        raise click.ClickException(str(error)) from error
