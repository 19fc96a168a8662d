"""Settings: one table, three sources, and a word about everything that cannot be used."""

import dataclasses
import ipaddress
import re
import socket
from pathlib import Path
from typing import Any

import pytest
from cryptography.x509 import load_pem_x509_certificate

from ca import Credentials
from foundation.egress import parse_url
from server.setting_values import address
from server.settings import TABLE, BadSetting, Setting, Settings, load

ROOT = Path(__file__).parents[2] / "certs-fixtures/attestation/root.pem"
S3_KEY = Path(__file__).parent / "s3_key.ini"
GOOD: dict[str, tuple[str, Any]] = {
    "listen": ("0.0.0.0:80", ("0.0.0.0", 80)),
    "tls_listen": ("[::1]:8751", ("::1", 8751)),
    "database": ("postgresql:///keystead", "postgresql:///keystead"),
    "unseal": ("fd:3", "fd:3"),
    "resolver": ("192.0.2.1:53", (("192.0.2.1", 53),)),
    "allow_network": ("10.0.0.0/8", (ipaddress.ip_network("10.0.0.0/8"),)),
    "http01_port": ("8080", 8080),
    "tlsalpn01_port": ("8443", 8443),
    "test_clock": ("on", True),
    "workers": ("4", 4),
    "threads": ("64", 64),
    "tls_names": ("ca.example.test", ("ca.example.test",)),
    "log_level": ("debug", "debug"),
    "regions": ("eu-west-1", ("eu-west-1",)),
    "certificate.validity_days": ("90", 90),
    "certificate.names": ("10", 10),
    "renewal.before_days": ("30", 30),
    "renewal.eligible": ("aws", "aws"),
    "validation.timeout_hours": ("1", 1),
    "validation.caa": ("no", False),
    "validation.caa_issuers": ("ca.test", ("ca.test",)),
    "publish": ("example.test 127.0.0.1:53", ("example.test 127.0.0.1:53",)),
    "kms.attestation_root": (str(ROOT), load_pem_x509_certificate(ROOT.read_bytes())),
    "kms.keys": ("1000", 1000),
    "kms.aliases_per_key": ("5", 5),
    "kms.grants_per_key": ("1000000", 1_000_000),
    "kms.grants_per_grantee": ("1", 1),
    "kms.on_demand_rotations": ("0", 0),
    "kms.tags_per_key": ("10", 10),
    "public_url": ("https://ca.example.test/", "https://ca.example.test/"),
    "s3.endpoint": ("http://10.0.0.1:9000", parse_url("http://10.0.0.1:9000")),
    "s3.credentials": (str(S3_KEY), Credentials("AKIDEXAMPLE", "an-example-secret")),
    "s3.region": ("eu-west-1", "eu-west-1"),
}
BAD = {
    "listen": ["8750", ":8750", "host", "host:x", "host:65536", "host:-1", "host:٣"],
    "tls_listen": ["nowhere"],
    "resolver": ["192.0.2.1"],
    "allow_network": ["10.0.0.1/8", "everything", "10.0.0.0/33"],
    "http01_port": ["0", "65536", "x", ""],
    "test_clock": ["maybe", "2"],
    "workers": ["0", "65", "1.5", "many"],
    "threads": ["0"],
    "log_level": ["loud", "DEBUG"],
    "certificate.validity_days": ["0", "825"],
    "certificate.names": ["0", "101"],
    "renewal.before_days": ["0"],
    "renewal.eligible": ["never"],
    "validation.timeout_hours": ["0", "721"],
    "validation.caa": ["perhaps"],
    "kms.keys": ["0", "10000001", "many"],
    "kms.grants_per_key": ["0", "-1"],
    "public_url": ["ca.example.test", "ftp://ca.example.test", "http://a b/"],
    "s3.endpoint": ["s3.example.test", "http://s3.example.test/bucket", "http://user@s3.example.test"],
    "s3.credentials": ["/nowhere", str(ROOT)],
}


def named(name: str) -> Setting:
    return next(setting for setting in TABLE if setting.name == name)


def test_the_table_and_the_settings_are_the_same_list() -> None:
    fields = [field.name for field in dataclasses.fields(Settings) if field.name != "data"]
    assert fields == [setting.attribute for setting in TABLE]
    assert set(GOOD) == {setting.name for setting in TABLE}


def test_every_name_is_told_apart_in_every_source() -> None:
    for spelled in ("name", "flag", "variable", "attribute"):
        assert len({getattr(setting, spelled) for setting in TABLE}) == len(TABLE)
    assert named("certificate.validity_days").flag == "--certificate-validity-days"
    assert named("certificate.validity_days").variable == "KEYSTEAD_CERTIFICATE_VALIDITY_DAYS"


def test_every_default_is_a_value_that_may_be_given(tmp_path: Path) -> None:
    settings = load(tmp_path, {}, {})
    for setting in TABLE:
        assert getattr(settings, setting.attribute) == setting.default


@pytest.mark.parametrize("name", GOOD)
def test_each_setting_is_read_from_each_source(tmp_path: Path, name: str) -> None:
    setting, (text, value) = named(name), GOOD[name]
    by_flag = load(tmp_path, {name: [text] if setting.many else text}, {})
    by_variable = load(tmp_path, {}, {setting.variable: text})
    table, _, key = name.rpartition(".")
    head = f"[{table}]\n" if table else ""
    (tmp_path / "keystead.toml").write_text(f'{head}{key} = "{text}"\n')
    by_file = load(tmp_path, {}, {})
    assert [getattr(each, setting.attribute) for each in (by_flag, by_variable, by_file)] == [value] * 3


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in BAD.items() for text in texts])
def test_a_value_that_does_not_do_is_refused_with_its_place_and_its_use(
    tmp_path: Path, name: str, text: str
) -> None:
    setting = named(name)
    with pytest.raises(BadSetting) as by_flag:
        load(tmp_path, {name: [text] if setting.many else text}, {})
    assert setting.flag in str(by_flag.value)
    assert setting.help in str(by_flag.value)
    if text:
        with pytest.raises(BadSetting, match=setting.variable):
            load(tmp_path, {}, {setting.variable: text})


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "keystead.toml").write_text('listen = "127.0.0.1:1"\nworkers = 1\nthreads = 1\n')
    environment = {"KEYSTEAD_LISTEN": "127.0.0.1:2", "KEYSTEAD_WORKERS": "2"}
    settings = load(tmp_path, {"listen": "127.0.0.1:3"}, environment)
    assert (settings.listen[1], settings.workers, settings.threads) == (3, 2, 1)


def test_an_option_that_was_not_given_is_not_a_value(tmp_path: Path) -> None:
    settings = load(tmp_path, {"listen": None, "resolver": ()}, {"KEYSTEAD_WORKERS": ""})
    assert settings == load(tmp_path, {}, {})


def test_lists_are_lists_in_the_file_and_words_in_the_environment(tmp_path: Path) -> None:
    two = (("192.0.2.1", 53), ("192.0.2.2", 53))
    environment = {"KEYSTEAD_RESOLVER": "192.0.2.1:53, 192.0.2.2:53"}
    assert load(tmp_path, {}, environment).resolver == two
    (tmp_path / "keystead.toml").write_text('resolver = ["192.0.2.1:53", "192.0.2.2:53"]\n')
    assert load(tmp_path, {}, {}).resolver == two


def test_a_zone_to_publish_into_keeps_its_spaces_in_the_environment(tmp_path: Path) -> None:
    zone = "example.test 127.0.0.1:53 key hmac-sha256 /run/key"
    assert load(tmp_path, {}, {"KEYSTEAD_PUBLISH": zone}).publish == (zone,)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("lissten = 1", "unknown setting 'lissten'"),
        ("[certificate]\nvalidity = 1", "unknown setting 'certificate.validity'"),
        ("listen = [", "keystead.toml"),
        ('listen = ["127.0.0.1:1"]', "a list is not a value"),
        ("test_clock = 1.5", "a float is not a value"),
        ("[listen]\nhost = 'x'", "unknown setting 'listen.host'"),
        ("workers = true", "does not do"),
        ('workers = "two"', "it must be a whole number from 1 to"),
        ('workers = "1_0"', "it must be a whole number from 1 to"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "keystead.toml").write_text(text)
    with pytest.raises(BadSetting, match=re.escape(says)):
        load(tmp_path, {}, {})


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "keystead.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(BadSetting, match=r"keystead\.toml"):
        load(tmp_path, {}, {})


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "keystead.toml").mkdir()
    with pytest.raises(BadSetting, match=r"keystead\.toml cannot be read: Is a directory"):
        load(tmp_path, {}, {})


def test_booleans_and_numbers_may_be_written_as_such_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "keystead.toml").write_text("test_clock = true\nworkers = 3\n")
    settings = load(tmp_path, {}, {})
    assert (settings.test_clock, settings.workers) == (True, 3)


def test_a_misspelt_variable_is_refused_and_others_are_not_ours(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="KEYSTEAD_LISTN"):
        load(tmp_path, {}, {"KEYSTEAD_LISTN": "x"})
    load(tmp_path, {}, {"KEYSTEAD_DATA": "x", "OTHER": "x"})


def test_an_address_is_read_as_it_is_written() -> None:
    assert address("[2001:db8::1]:53") == ("2001:db8::1", 53)
    assert address("localhost:0") == ("localhost", 0)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({}, "http://127.0.0.1:8750"),
        ({"listen": "[::1]:80"}, "http://[::1]:80"),
        ({"listen": "0.0.0.0:80"}, f"http://{socket.gethostname()}:80"),
        ({"public_url": "https://ca.example.test/"}, "https://ca.example.test"),
    ],
)
def test_answers_name_the_service_as_the_outside_reaches_it(
    tmp_path: Path, given: dict[str, str], url: str
) -> None:
    assert load(tmp_path, given, {}).own_url == url


def test_the_database_is_beside_the_data_unless_it_is_named(tmp_path: Path) -> None:
    assert load(tmp_path, {}, {}).database_url == f"sqlite:///{tmp_path}/keystead.db"
    assert load(tmp_path, {"database": "postgresql:///k"}, {}).database_url == "postgresql:///k"


def test_certificates_may_not_be_due_for_renewal_when_they_are_issued(tmp_path: Path) -> None:
    with pytest.raises(
        BadSetting, match=r"renewal\.before_days \(45\) must be less than certificate\.validity_days \(45\)"
    ):
        load(tmp_path, {"certificate.validity_days": "45"}, {})
    assert load(tmp_path, {"certificate.validity_days": "46"}, {}).certificate_validity_days == 46
