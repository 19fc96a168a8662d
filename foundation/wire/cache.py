"""Compiled service models on disk, so that a start need not read botocore's again."""

import contextlib
import hashlib
import os
import threading
import unicodedata
from pathlib import Path
from typing import Final

import msgspec

from foundation.wire.models import ServiceModel, compile_model

FORMAT: Final = 1
"""Raise when `ServiceModel` or the translation of patterns changes its meaning."""

_decoder = msgspec.json.Decoder(ServiceModel)


class Models:
    """The service models, each loaded at its first use. Thread-safe: at worst one is compiled twice.

    Files carry the SHA-256 of what follows, so a torn or damaged one is seen and made again. They are
    written aside and renamed, so that several processes may share the directory.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory
        self._loaded: dict[str, ServiceModel] = {}

    def __getitem__(self, service: str) -> ServiceModel:
        """Raises LookupError for a service that is not served."""
        model = self._loaded.get(service)
        if model is None:
            model = self._loaded[service] = self._load(service)
        return model

    def _load(self, service: str) -> ServiceModel:
        if self._directory is None:
            return compile_model(service)
        path = self._directory / _file_name(service)
        model = _read(path)
        if model is None or model.service != service:
            model = compile_model(service)
            _write(path, model)
        return model


def _file_name(service: str) -> str:
    from botocore import __version__ as botocore_version

    return f"{service}-{botocore_version}-unicode{unicodedata.unidata_version}-{FORMAT}.json"


def _read(path: Path) -> ServiceModel | None:
    try:
        digest, _, body = path.read_bytes().partition(b"\n")
        if digest.decode("ascii") != hashlib.sha256(body).hexdigest():
            return None
        return _decoder.decode(body)
    except (OSError, ValueError):
        return None  # absent or damaged: the caller compiles it again


def _write(path: Path, model: ServiceModel) -> None:
    body = msgspec.json.encode(model)
    aside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    # A cache that cannot be written costs time at the next start and nothing else.
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
        aside.replace(path)
