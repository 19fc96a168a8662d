"""The same matrix before the verifiers that start slowly: each judges all cells in one run, and each cell is asserted."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from ca.algorithms import USUAL
from ca.templates import TEMPLATES
from tests.api.pca.matrix import Cell, Matrix, reason_against
from tests.support.world import World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
RFCS = "RFC5280,RFC5480,RFC5891,RFC8813"


@pytest.fixture(scope="module")
def cells(shared_world: World, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Cell]]:
    """Every cell by name, and the folder with a folder of each."""
    matrix, top = Matrix(shared_world), tmp_path_factory.mktemp("cells")
    made: dict[str, Cell] = {}
    for algorithm in USUAL:
        for template in TEMPLATES:
            cell = matrix.cell(template, algorithm)
            folder = top / f"{template}-{algorithm}"
            folder.mkdir()
            cell.write(folder)
            made[folder.name] = cell
    return top, made


def wrong(verifier: str, cells: dict[str, Cell], told: dict[str, str]) -> dict[str, str]:
    """The cells where the verifier did not say what the table says."""
    assert set(told) == set(cells)
    return {
        name: told[name] or f"accepted, though the table says: {reason_against(verifier, cell)}"
        for name, cell in cells.items()
        if (told[name] == "") == (reason_against(verifier, cell) is not None)
    }


def test_javas_pkix_accepts_what_it_can_judge(cells: tuple[Path, dict[str, Cell]]) -> None:
    top, made = cells
    source = Path(__file__).with_name("Pkix.java")
    answer = subprocess.run(["java", source, top], check=True, capture_output=True, text=True).stdout
    told = dict(line.split("\t", 1) for line in answer.splitlines())
    assert wrong("java", made, told) == {}


def test_zlint_finds_no_error_by_an_rfc(cells: tuple[Path, dict[str, Cell]]) -> None:
    top, made = cells
    zlint = Path(".venv/bin/zlint")
    if not zlint.exists():
        assert shutil.which("go") is None, "there is a Go toolchain, and tests/support/zlint.sh made no zlint"
        pytest.skip("no Go toolchain, so no zlint: this verifier's cells are not judged here")
    told = {}
    for name in made:
        path = top / name / "certificate.pem"
        answer = subprocess.run(
            [zlint, "-includeSources", RFCS, path], check=True, capture_output=True, text=True
        ).stdout
        found = json.loads(answer)
        assert found, "zlint ran no lint"
        told[name] = ", ".join(lint for lint, said in found.items() if said["result"] in {"error", "fatal"})
    assert wrong("zlint", made, told) == {}
