"""What the codecs take for granted about the models of the served services, and the cache of compiled ones."""

from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import Loader

from foundation.wire import models
from foundation.wire.cache import Models
from foundation.wire.protocols import SERVED, Codec
from foundation.wire.scalars import READERS
from tests.foundation.wire.calls import the_models

UNREAD_TRAITS = {
    "flattened",
    "jsonvalue",
    "location",
    "locationName",
    "queryName",
    "timestampFormat",
    "xmlAttribute",
    "xmlNamespace",
    "hostLabel",
    "eventstream",
    "streaming",
}
PROTOCOLS = {"json": Codec.JSON11, "smithy-rpc-v2-cbor": Codec.CBOR, "query": Codec.QUERY}


def published(service: str) -> dict[str, Any]:
    model: dict[str, Any] = Loader(include_default_search_paths=True).load_service_model(service, "service-2")
    return model


def test_a_model_in_the_users_home_directory_changes_nothing_here(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    theirs = tmp_path / ".aws/models/sts/2099-01-01"
    theirs.mkdir(parents=True)
    (theirs / "service-2.json").write_text('{"metadata": {}, "operations": {}, "shapes": {}}')
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(Loader, "CUSTOMER_DATA_PATH", str(tmp_path / ".aws/models"))  # worked out at import
    assert published("sts")["operations"] == {}, "botocore's own loaders do prefer it"
    assert "GetCallerIdentity" in models.compile_model("sts").operations


@pytest.mark.parametrize("service", SERVED)
def test_a_served_model_uses_no_trait_that_the_codecs_do_not_read(service: str) -> None:
    for name, shape in published(service)["shapes"].items():
        assert not UNREAD_TRAITS & shape.keys(), name
        assert not shape.get("document"), name
        for member in shape.get("members", {}).values():
            assert not UNREAD_TRAITS & member.keys(), name


@pytest.mark.parametrize("service", SERVED)
def test_a_served_service_speaks_the_protocols_of_its_model(service: str) -> None:
    metadata = published(service)["metadata"]
    assert tuple(PROTOCOLS[name] for name in metadata["protocols"]) == SERVED[service]
    assert metadata.get("jsonVersion", "1.1") == "1.1"


@pytest.mark.parametrize("service", SERVED)
def test_every_operation_is_a_post_to_the_root(service: str) -> None:
    for operation in published(service)["operations"].values():
        assert (operation["http"]["method"], operation["http"]["requestUri"]) == ("POST", "/")


@pytest.mark.parametrize("service", SERVED)
def test_every_kind_of_shape_has_a_reader(service: str) -> None:
    containers = {"structure", "list", "map"}
    kinds = {shape.kind for shape in the_models()[service].shapes.values()}
    for codec in SERVED[service]:
        assert kinds - containers <= READERS[codec].keys()


@pytest.mark.parametrize("service", SERVED)
def test_no_map_has_sensitive_keys(service: str) -> None:
    shapes = the_models()[service].shapes
    assert not [name for name, shape in shapes.items() if shape.key and shapes[shape.key].sensitive]


def test_the_query_services_share_no_version() -> None:
    versions = [the_models()[name].version for name, codecs in SERVED.items() if Codec.QUERY in codecs]
    assert len(set(versions)) == len(versions)


def test_a_service_that_is_not_served_has_no_model() -> None:
    with pytest.raises(LookupError):
        models.compile_model("ec2")
    with pytest.raises(LookupError):
        Models()["ec2"]


def test_a_cached_model_is_the_compiled_one_and_is_not_compiled_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = Models(tmp_path / "cache")["kms"]
    monkeypatch.setattr("foundation.wire.cache.compile_model", None)
    assert Models(tmp_path / "cache")["kms"] == compiled


@pytest.mark.parametrize("harm", ["empty", "truncated", "one bit", "not text", "another service"])
def test_a_damaged_cache_is_made_again(tmp_path: Path, harm: str) -> None:
    compiled = Models(tmp_path)["sts"]
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    damaged = {
        "empty": b"",
        "truncated": whole[: len(whole) // 2],
        "one bit": whole[:500] + bytes([whole[500] ^ 1]) + whole[501:],
        "not text": b"\xff" * 80,
    }
    if harm == "another service":
        Models(tmp_path)["kms"]
        (other,) = (path for path in tmp_path.iterdir() if path != file)
        damaged[harm] = other.read_bytes()
    file.write_bytes(damaged[harm])
    assert Models(tmp_path)["sts"] == compiled
    assert file.read_bytes() == whole


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("not a directory")
    assert Models(occupied)["sts"].service == "sts"


def test_the_cache_leaves_no_half_written_file(tmp_path: Path) -> None:
    Models(tmp_path)["sts"]
    assert [path.suffix for path in tmp_path.iterdir()] == [".json"]
