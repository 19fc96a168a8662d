"""What an operator may set: one table, read from flags, `KEYSTEAD_…` and `DIR/keystead.toml`, in that order of precedence."""

import socket
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from server.setting_values import (
    Address,
    Network,
    address,
    certificate,
    count,
    flag,
    network,
    one_of,
    port,
    public_address,
    s3_key,
    s3_url,
)

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from ca import Credentials
    from foundation.egress import Target


class BadSetting(Exception):
    """A setting that cannot be used; the message names it, where it came from and what would be right."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table. `name` is the TOML key (dotted: a TOML table); `many` allows a list."""

    name: str
    parse: Callable[[str], Any]
    default: Any
    help: str
    many: bool = False
    on_command_line: bool = True

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-").replace(".", "-")

    @property
    def variable(self) -> str:
        return "KEYSTEAD_" + self.name.replace(".", "_").replace("-", "_").upper()

    @property
    def attribute(self) -> str:
        return self.name.replace(".", "_").replace("-", "_")


TABLE: tuple[Setting, ...] = (
    Setting("listen", address, ("127.0.0.1", 8750), "where to answer HTTP"),
    Setting(
        "tls_listen", address, None, "where to answer HTTPS, with a certificate of keystead's own authority"
    ),
    Setting("database", str, None, "SQLAlchemy URL; by default DIR/keystead.db (SQLite)"),
    Setting(
        "unseal", str, None, "file:PATH, fd:N, credential:NAME or passphrase:PATH; by default DIR/unseal.key"
    ),
    Setting(
        "resolver",
        address,
        (),
        "DNS server for validation; several must agree; by default the system's",
        many=True,
    ),
    Setting(
        "allow_network",
        network,
        (),
        "loopback or private network that validation and webhooks may reach",
        many=True,
    ),
    Setting("http01_port", port, 80, "port that http-01 validation connects to"),
    Setting("tlsalpn01_port", port, 443, "port that tls-alpn-01 validation connects to"),
    Setting("test_clock", flag, False, "let `keystead clock advance` move time; a DIR stays marked for ever"),
    Setting("workers", count(1, 64), 2, "HTTP worker processes", on_command_line=False),
    Setting("threads", count(1, 64), 16, "threads in each HTTP worker", on_command_line=False),
    Setting(
        "tls_names",
        str,
        (),
        "further names in the HTTPS door's certificate",
        many=True,
        on_command_line=False,
    ),
    Setting(
        "log_level",
        one_of("debug", "info", "warning", "error"),
        "info",
        "the least that is logged",
        on_command_line=False,
    ),
    Setting(
        "regions",
        str,
        (),
        "Regions that requests may be scoped to; by default any well-formed one",
        many=True,
        on_command_line=False,
    ),
    Setting(
        "certificate.validity_days",
        count(1, 824),  # 825 in all with the hour before, beyond which platform verifiers refuse
        198,
        "validity of certificates that ACM issues",
        on_command_line=False,
    ),
    Setting(
        "certificate.names",
        count(1, 100),
        10,
        "names in one ACM request, as ACM has it; a CSR may have 100",
        on_command_line=False,
    ),
    Setting(
        "renewal.before_days",
        count(1, 365),
        45,
        "days before the end at which renewal starts",
        on_command_line=False,
    ),
    Setting(
        "renewal.eligible",
        one_of("always", "aws"),
        "always",
        "always: renew all; aws: only what is in use or exported",
        on_command_line=False,
    ),
    Setting(
        "validation.timeout_hours",
        count(1, 720),
        72,
        "hours until an unproven request times out",
        on_command_line=False,
    ),
    Setting("validation.caa", flag, True, "check CAA records before issuing", on_command_line=False),
    Setting(
        "validation.caa_issuers",
        str,
        ("keystead",),
        "issuer names that a CAA record may allow",
        many=True,
        on_command_line=False,
    ),
    Setting(
        "publish",
        str,
        (),
        "zone for RFC 2136 updates: ZONE SERVER:PORT KEYNAME ALGORITHM SECRET-FILE",
        many=True,
        on_command_line=False,
    ),
    Setting(
        "kms.attestation_root",
        certificate,
        None,
        "PEM file: the root of the Nitro attestation documents that KMS's Recipient may bring",
        on_command_line=False,
    ),
    Setting(
        "kms.keys",
        count(1, 10_000_000),
        100_000,
        "customer managed keys in one account and Region",
        on_command_line=False,
    ),
    Setting("kms.aliases_per_key", count(1, 10_000), 50, "aliases of one key", on_command_line=False),
    Setting("kms.grants_per_key", count(1, 1_000_000), 50_000, "grants on one key", on_command_line=False),
    Setting(
        "kms.grants_per_grantee",
        count(1, 1_000_000),
        500,
        "grants on one key to one grantee principal",
        on_command_line=False,
    ),
    Setting(
        "kms.on_demand_rotations",
        count(0, 10_000),
        25,
        "on-demand rotations of one key in all its time",
        on_command_line=False,
    ),
    Setting("kms.tags_per_key", count(1, 1000), 50, "tags of one key", on_command_line=False),
    Setting(
        "public_url",
        public_address,
        None,
        "how clients reach this service: for URLs in answers, and in certificates (CRL, OCSP, issuer); by default"
        " made of listen",
    ),
    Setting(
        "s3.endpoint",
        s3_url,
        None,
        "URL of the S3 endpoint that has the buckets for CRLs and audit reports; by default they are folders under"
        " DIR/buckets",
        on_command_line=False,
    ),
    Setting(
        "s3.credentials",
        s3_key,
        None,
        "file with the access key for s3.endpoint, in the AWS CLI's form",
        on_command_line=False,
    ),
    Setting("s3.region", str, "us-east-1", "Region that s3.endpoint is signed for", on_command_line=False),
)

BY_NAME: Mapping[str, Setting] = {setting.name: setting for setting in TABLE}


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting, parsed. Field names are the table's, dots as underscores (a test compares them)."""

    data: Path
    listen: Address
    tls_listen: Address | None
    database: str | None
    unseal: str | None
    resolver: tuple[Address, ...]
    allow_network: tuple[Network, ...]
    http01_port: int
    tlsalpn01_port: int
    test_clock: bool
    workers: int
    threads: int
    tls_names: tuple[str, ...]
    log_level: str
    regions: tuple[str, ...]
    certificate_validity_days: int
    certificate_names: int
    renewal_before_days: int
    renewal_eligible: str
    validation_timeout_hours: int
    validation_caa: bool
    validation_caa_issuers: tuple[str, ...]
    publish: tuple[str, ...]
    kms_attestation_root: "Certificate | None"
    kms_keys: int
    kms_aliases_per_key: int
    kms_grants_per_key: int
    kms_grants_per_grantee: int
    kms_on_demand_rotations: int
    kms_tags_per_key: int
    public_url: str | None
    s3_endpoint: "Target | None"
    s3_credentials: "Credentials | None"
    s3_region: str

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{self.data / 'keystead.db'}"

    @property
    def own_url(self) -> str:
        """The base of URLs in answers and certificates, without a trailing slash.

        Listening everywhere is no address to go to: then it is this host by its name.
        """
        host, number = self.listen
        if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
            host = socket.gethostname()
        shown = f"[{host}]" if ":" in host else host
        return (self.public_url or f"http://{shown}:{number}").rstrip("/")


def load(data: Path, flags: Mapping[str, Any], environment: Mapping[str, str]) -> Settings:
    """Reads all three sources. `flags` maps setting names to text (or a sequence of texts), None where not given.

    Raises `BadSetting` for an unknown key in DIR/keystead.toml, an unknown `KEYSTEAD_…` variable, any value that does
    not parse, and values that do not go together.
    """
    from_file = _read_toml(data / "keystead.toml")
    _refuse_unknown_variables(environment)
    values: dict[str, Any] = {}
    for setting in TABLE:
        given = flags.get(setting.name)
        if given not in (None, (), []):
            values[setting.attribute] = _parse(setting, given, f"the flag {setting.flag}")
        elif environment.get(setting.variable, "") != "":
            text = environment[setting.variable]
            parts = text.replace(",", " ").split() if setting.many and setting.name != "publish" else [text]
            values[setting.attribute] = _parse(
                setting, parts if setting.many else text, f"the variable {setting.variable}"
            )
        elif setting.name in from_file:
            values[setting.attribute] = _parse(
                setting, from_file[setting.name], f"{setting.name} in keystead.toml"
            )
        else:
            values[setting.attribute] = setting.default
    settings = Settings(data=data, **values)
    _check_together(settings)
    return settings


def _check_together(settings: Settings) -> None:
    """What no setting shows alone."""
    if settings.renewal_before_days >= settings.certificate_validity_days:
        raise BadSetting(
            f"renewal.before_days ({settings.renewal_before_days}) must be less than certificate.validity_days "
            f"({settings.certificate_validity_days}), or certificates would be renewed as soon as they are issued"
        )


def _parse(setting: Setting, given: Any, where: str) -> Any:
    if setting.many:
        items = given if isinstance(given, list | tuple) else [given]
        return tuple(_parse_one(setting, item, where) for item in items)
    return _parse_one(setting, given, where)


def _parse_one(setting: Setting, given: Any, where: str) -> Any:
    text = str(given).lower() if isinstance(given, bool) else given
    if isinstance(text, int):
        text = str(text)
    if not isinstance(text, str):
        raise BadSetting(
            f"{where}: a {type(given).__name__} is not a value for {setting.name} ({setting.help})"
        )
    try:
        return setting.parse(text)
    except ValueError as error:
        raise BadSetting(
            f"{where}: {text!r} does not do for {setting.name}: {error} ({setting.help})"
        ) from error


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        tree = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BadSetting(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(f"{path.name}: {error}") from error
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            flat.update({f"{key}.{inner}": leaf for inner, leaf in value.items()})
        else:
            flat[key] = value
    unknown = sorted(set(flat) - set(BY_NAME))
    if unknown:
        raise BadSetting(
            f"{path.name}: unknown setting {unknown[0]!r}; the known ones are: {', '.join(sorted(BY_NAME))}"
        )
    return flat


# Read by the command line itself, not settings of the service.
COMMAND_VARIABLES = frozenset({"KEYSTEAD_DATA", "KEYSTEAD_VECTORS"})


def _refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    known = {setting.variable for setting in TABLE} | COMMAND_VARIABLES
    unknown = sorted(name for name in environment if name.startswith("KEYSTEAD_") and name not in known)
    if unknown:
        raise BadSetting(f"unknown variable {unknown[0]}; the known ones are: {', '.join(sorted(known))}")
