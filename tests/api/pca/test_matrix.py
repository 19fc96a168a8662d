"""Every template under every key algorithm: clean for pkilint, and accepted by whoever the checked-in table says can judge it."""

from pathlib import Path

import pytest

from ca.algorithms import USUAL
from ca.templates import TEMPLATES
from tests.api.pca.matrix import ONE_BY_ONE, TABLE, Matrix, reason_against
from tests.support.world import World

QUICK_TEMPLATES = {"EndEntityCertificate", "SubordinateCACertificate_PathLen0", "RootCACertificate"}
SLOW_KEYS = {"RSA_3072", "RSA_4096"}


def quick(template: str, algorithm: str) -> bool:
    """One algorithm for every template, and every template of a few for each algorithm."""
    return algorithm == "EC_prime256v1" or (template in QUICK_TEMPLATES and algorithm not in SLOW_KEYS)


CELLS = [
    pytest.param(template, algorithm, marks=() if quick(template, algorithm) else pytest.mark.slow)
    for algorithm in USUAL
    for template in TEMPLATES
]


@pytest.fixture(scope="module")
def matrix(shared_world: World) -> Matrix:
    return Matrix(shared_world)


def test_the_table_speaks_of_what_there_is() -> None:
    assert set(TABLE) == {*ONE_BY_ONE, "java", "zlint"}
    for said in TABLE.values():
        assert {*said["keys"], *said["roots"]} <= set(USUAL)
        assert set(said["templates"]) <= set(TEMPLATES)


@pytest.mark.parametrize(("template", "algorithm"), CELLS)
def test_every_verifier_that_can_judge_it_accepts_it(
    matrix: Matrix, template: str, algorithm: str, tmp_path: Path
) -> None:
    cell = matrix.cell(template, algorithm)
    told = {name: verify(cell, tmp_path) for name, verify in ONE_BY_ONE.items()}
    wrong = {
        name: said or f"accepts it, though the table says: {reason_against(name, cell)}"
        for name, said in told.items()
        if (said == "") == (reason_against(name, cell) is not None)
    }
    assert not wrong
