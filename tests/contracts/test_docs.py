"""Documentation cannot rot: the reference is what the code says, links resolve, pinned tests exist."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.generate import HERE, PAGES

ROOT = Path(__file__).parents[2]
PROSE = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "certs-fixtures").rglob("*.md")])


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # As `make docs` does it, in a process of its own: click keeps in each command what its first context gave it.
    directory = tmp_path_factory.mktemp("generated")
    subprocess.run([sys.executable, "-m", "docs.generate", directory], cwd=ROOT, check=True)
    return directory


@pytest.mark.parametrize("name", PAGES)
def test_the_generated_reference_is_what_the_code_says(name: str, generated: Path) -> None:
    assert (HERE / name).read_text("utf-8") == (generated / name).read_text("utf-8"), "run `make docs`"


@pytest.mark.parametrize("page", PROSE, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_between_documents_resolve(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        if not target.startswith(("http:", "https:", "mailto:")):
            assert (page.parent / target).exists(), f"{target} in {page.name}"


def test_each_divergence_names_a_test_that_exists() -> None:
    rows = [
        line
        for line in (HERE / "divergences.md").read_text("utf-8").splitlines()
        if line.startswith("| ") and "`" in line
    ]
    assert rows
    tests = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    for row in rows:
        pinned = re.findall(r"`(test_\w+)`", row)
        assert pinned, row
        for name in pinned:
            assert f"def {name}(" in tests, name


def test_the_changelog_says_what_is_unreleased() -> None:
    assert "## Unreleased" in (ROOT / "CHANGELOG.md").read_text("utf-8")
