"""What the text of a setting stands for: one function for each kind of value. Each raises ValueError for what does not do."""

import configparser
import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from ca import Credentials
    from foundation.egress import Target

Address = tuple[str, int]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def address(text: str) -> Address:
    """`host:port` or `[v6]:port` → `(host, port)`.

    Raises `ValueError` when either half is missing or the port is no number up to 65535.
    """
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError("it must look like 127.0.0.1:8750")
    return host, int(port)


def network(text: str) -> Network:
    """A CIDR network; a bare address stands for itself alone. Raises `ValueError`."""
    return ipaddress.ip_network(text, strict=True)


def port(text: str) -> int:
    """A TCP port, 1 to 65535. Raises `ValueError`."""
    number = int(text)
    if not 0 < number < 65536:
        raise ValueError("a port is a number from 1 to 65535")
    return number


def flag(text: str) -> bool:
    """true/false, yes/no, 1/0, on/off. Raises `ValueError` for anything else."""
    known = {
        "true": True,
        "yes": True,
        "1": True,
        "on": True,
        "false": False,
        "no": False,
        "0": False,
        "off": False,
    }
    if text.lower() not in known:
        raise ValueError("it must be true or false")
    return known[text.lower()]


def certificate(text: str) -> "Certificate":
    """The one certificate in a PEM file. Raises `ValueError` when the file cannot be read as that."""
    from cryptography.x509 import load_pem_x509_certificate

    try:
        return load_pem_x509_certificate(Path(text).read_bytes())
    except OSError as unreadable:
        raise ValueError(f"the file cannot be read: {unreadable.strerror}") from unreadable


def s3_url(text: str) -> "Target":
    """The URL of an S3 endpoint: scheme, host and port alone. Raises `ValueError`."""
    from foundation.egress import BadTarget, parse_url

    try:
        target = parse_url(text)
    except BadTarget as bad:
        raise ValueError(str(bad)) from bad
    if target.path != "/":
        raise ValueError("it must be a scheme, a host and a port, without a path")
    return target


def s3_key(text: str) -> "Credentials":
    """The access key in a file of the AWS CLI's form, of its section `default`. Raises `ValueError`."""
    from ca import Credentials

    file = configparser.ConfigParser(interpolation=None)
    try:
        file.read_string(Path(text).read_text("utf-8"))
        section = file["default"]
        return Credentials(
            section["aws_access_key_id"], section["aws_secret_access_key"], section.get("aws_session_token")
        )
    except OSError as unreadable:
        raise ValueError(f"the file cannot be read: {unreadable.strerror}") from unreadable
    except (configparser.Error, KeyError, UnicodeDecodeError) as odd:
        raise ValueError(
            "the file must have a section [default] with aws_access_key_id and aws_secret_access_key"
        ) from odd


def public_address(text: str) -> str:
    """An absolute http or https URL, as it may stand in a certificate. Raises `ValueError`."""
    from foundation.egress import BadTarget, parse_url

    try:
        parse_url(text)
    except BadTarget as bad:
        raise ValueError(f"it must be an absolute http or https URL: {bad}") from bad
    return text


def count(least: int, most: int) -> Callable[[str], int]:
    """A whole number from `least` to `most`, both included."""

    def parse(text: str) -> int:
        known = text.isascii() and text.isdigit() and len(text) <= len(str(most))
        if not known or not least <= int(text) <= most:
            raise ValueError(f"it must be a whole number from {least} to {most}")
        return int(text)

    return parse


def one_of(*choices: str) -> Callable[[str], str]:
    """Exactly one of the named words."""

    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"it must be one of: {', '.join(choices)}")
        return text

    return parse
