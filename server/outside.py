"""The network as the settings open it: one egress, the resolvers, the prover of names and the publisher of records."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from acm import DnsProver
from ca import FolderSink, ObjectSink, S3Endpoint, S3Sink
from foundation.egress import Egress, Endpoint
from server.setting_values import address
from server.settings import BadSetting, Settings
from validation import BadName, Dns, DnsFailed, Publisher, TsigKey, UpdateZone, system_resolvers


@dataclass(frozen=True, slots=True)
class Outside:
    """Everything that leaves this host goes through one of these."""

    egress: Egress
    dns: Dns
    prover: DnsProver
    publisher: Publisher | None
    sink: ObjectSink


def open_outside(
    settings: Settings,
    entropy: Callable[[int], bytes],
    before_call: Callable[[], None],
    wall: Callable[[], datetime],
) -> Outside:
    """Nothing is sent yet. Raises BadSetting when the settings name no usable resolver or update zone."""
    own = tuple(listener for listener in (settings.listen, settings.tls_listen) if listener is not None)
    egress = Egress(allow=settings.allow_network, never=own, before_call=before_call)
    dns = Dns(_resolvers(settings), egress, entropy)
    issuers = settings.validation_caa_issuers if settings.validation_caa else None
    zones = [update_zone(text) for text in settings.publish]
    publisher = Publisher(zones, egress, entropy) if zones else None
    return Outside(egress, dns, DnsProver(dns, issuers), publisher, _sink(settings, egress, dns, wall))


def _sink(settings: Settings, egress: Egress, dns: Dns, wall: Callable[[], datetime]) -> ObjectSink:
    if settings.s3_endpoint is None:
        return FolderSink(settings.data / "buckets")
    if settings.s3_credentials is None:
        raise BadSetting(
            "s3.endpoint needs s3.credentials: the file with the access key to sign requests with"
        )
    endpoint = S3Endpoint(settings.s3_endpoint, settings.s3_region, settings.s3_credentials)
    return S3Sink(endpoint, egress, dns.addresses, wall)


def _resolvers(settings: Settings) -> tuple[Endpoint, ...]:
    if settings.resolver:
        return tuple((_numeric(host), port) for host, port in settings.resolver)
    try:
        return system_resolvers()
    except DnsFailed:
        # The service still answers; each validation then says that no resolver is configured.
        return ()


def _numeric(host: str) -> str:
    """`localhost` is the one name that a resolver may have: any other would need a resolver to be found."""
    if host == "localhost":
        return "127.0.0.1"
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
    except OSError as error:
        raise BadSetting(f"resolver: {host!r} is not an IP address; write it like 127.0.0.1:53") from error
    return host


def update_zone(text: str) -> UpdateZone:
    """`ZONE SERVER:PORT [KEYNAME ALGORITHM SECRET-FILE]` → a zone that keystead may update.

    The file holds the key's secret in base64, as keymgr and tsig-keygen print it. Raises BadSetting.
    """
    words = text.split()
    if len(words) not in (2, 5):
        raise BadSetting(f"publish: {text!r} must be ZONE SERVER:PORT [KEYNAME ALGORITHM SECRET-FILE]")
    try:
        host, port = address(words[1])
        key = None
        if len(words) == 5:
            key = TsigKey.parse(words[2], words[3], Path(words[4]).read_text("ascii").strip())
        return UpdateZone(words[0], (_numeric(host), port), key)
    except (ValueError, BadName) as error:
        raise BadSetting(f"publish: {words[0]}: {error}") from error
    except OSError as error:
        raise BadSetting(
            f"publish: the secret of {words[0]} cannot be read from {words[4]}: {error.strerror}"
        ) from error
