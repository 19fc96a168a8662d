"""Project Wycheproof's vectors, and how a test goes through a file of them.

The vectors lie beside the project: `KEYSTEAD_VECTORS` names their folder, by default ../shared/vectors.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from kms.hsm.errors import CoreError

FOLDER = (
    Path(os.environ.get("KEYSTEAD_VECTORS", Path(__file__).parents[4] / "shared" / "vectors")) / "wycheproof"
)
Vector = dict[str, Any]

# What Wycheproof leaves to the implementation, decided once: flag of an "acceptable" vector -> accepted? A vector is
# accepted when all its flags are.
ACCEPTABLE: Mapping[str, bool] = {
    # A DigestInfo whose NULL parameters are left out (RFC 8017 A.2.4 lets readers accept it): OpenSSL refuses it.
    "MissingNull": False,
    # A compressed point is an encoding of SEC 1 that SPKI allows (RFC 5480 2.2).
    "CompressedPublic": True,
    "CompressedPoint": True,
    # DER is unique: whatever else decodes to the same key is refused.
    "InvalidAsn": False,
    # Curves are named, never spelled out (RFC 5480 2.1.1), however well they would fit.
    "UnnamedCurve": False,
    "UnusedParam": False,
    "ModifiedCofactor": False,
    "ModifiedCurveParameter": False,
    "ModifiedGenerator": False,
    "NoCofactor": False,
    "WrongOrder": False,
}


def vectors(name: str) -> Iterator[tuple[Vector, Vector]]:
    """(group, vector) of one file; the test is skipped when it is not there."""
    path = FOLDER / f"{name}_test.json"
    if not path.exists():
        pytest.skip(f"no Wycheproof vectors at {path}: set KEYSTEAD_VECTORS to the folder that holds them")
    groups = json.loads(path.read_bytes())["testGroups"]
    return ((group, vector) for group in groups for vector in group["tests"])


def expected(vector: Vector) -> bool:
    """Whether the vector is to be accepted."""
    verdict: str = vector["result"]
    if verdict == "acceptable":
        return all(ACCEPTABLE[flag] for flag in vector["flags"])
    return verdict == "valid"


def run(
    name: str, attempt: Callable[[Vector, Vector], None], judge: Callable[[Vector], bool] = expected
) -> None:
    """Every vector that is to be accepted passes, every other one raises one of the core's errors."""
    wrong, count = [], 0
    for group, vector in vectors(name):
        count += 1
        try:
            attempt(group, vector)
            accepted = True
        except CoreError:
            accepted = False
        if accepted != judge(vector):
            wrong.append((vector["tcId"], vector["result"], vector["flags"], vector.get("comment")))
    assert wrong == []
    assert count > 30


def unhex(vector: Mapping[str, str], *names: str) -> list[bytes]:
    return [bytes.fromhex(vector[name]) for name in names]
