"""The house rules that a machine can check (CONTRIBUTING, "How we build")."""

import ast
import re
import statistics
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = ("acm", "ca", "kms", "validation", "foundation", "server")
FORBIDDEN_NAMES = {"utils", "helpers", "helper", "manager", "common", "base", "misc"}
MOST_LINES = 400
MOST_FUNCTION_LINES = 60
MEDIAN_LINES = 120
GENERATED = "foundation/store/migrations/versions/"


@cache
def tracked() -> tuple[Path, ...]:
    """Every Python file that git tracks or would take."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return tuple(ROOT / name for name in sorted(set(listed.stdout.split())) if (ROOT / name).exists())


def product() -> list[Path]:
    return [
        path
        for path in tracked()
        if path.relative_to(ROOT).parts[0] in PRODUCT and GENERATED not in path.as_posix()
    ]


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", product(), ids=shown)
def test_a_product_module_says_what_it_is_for_and_stays_small(path: Path) -> None:
    text = path.read_text("utf-8")
    if text.strip() and path.name != "__init__.py":
        assert ast.get_docstring(ast.parse(text)), "the first line says what the module is for"
    assert len(text.splitlines()) <= MOST_LINES
    assert path.stem not in FORBIDDEN_NAMES


@pytest.mark.parametrize("path", product(), ids=shown)
def test_a_product_function_fits_on_a_screen(path: Path) -> None:
    long = [
        f"{node.name} has {(node.end_lineno or 0) - node.lineno + 1} lines"
        for node in functions(path)
        if (node.end_lineno or 0) - node.lineno + 1 >= MOST_FUNCTION_LINES
    ]
    assert not long


def test_the_median_module_is_short() -> None:
    sizes = [len(path.read_text("utf-8").splitlines()) for path in product() if path.stat().st_size]
    assert statistics.median(sizes) < MEDIAN_LINES


@pytest.mark.parametrize("path", tracked(), ids=shown)
def test_a_silenced_check_gives_its_reason(path: Path) -> None:
    silenced = re.compile(r"#\s*(noqa|type:\s*ignore)(?P<codes>[:\[][^#]*?)?(?P<reason>\s+#.*|\s+-.*)?$")
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not re.search(r"#\s*(noqa|type:\s*ignore)\b", line) or "re.compile" in line or "re.search" in line:
            continue
        found = silenced.search(line)
        explained = found is not None and found["codes"] and found["reason"]
        assert explained, f"{shown(path)}:{number} silences without a code and a reason"


def test_nothing_is_left_for_later_in_the_product() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
    left = [
        f"{shown(path)}:{number}"
        for path in product()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if marks.search(line)
    ]
    assert not left


def test_no_tracked_file_names_a_package_index_or_a_path_of_a_builder() -> None:
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True)
    index = re.compile(r"--(extra-)?index-url|--find-links|https?://(files|registry|pypi)\.")
    guilty = []
    for name in files.stdout.split("\n"):
        path = ROOT / name
        if not name or not path.is_file() or path == Path(__file__):
            continue
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        if index.search(text) or f"{ROOT}/" in text:
            guilty.append(name)
    assert not guilty


def test_catch_alls_stand_only_in_the_pipeline_and_the_job_runner() -> None:
    allowed = {"server/pipeline.py", "server/scheduler.py"}
    found = set()
    for path in product():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ExceptHandler) and (
                node.type is None
                or (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException"))
            ):
                cleans_up = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
                if not cleans_up:  # a bare raise at the end swallows nothing
                    found.add(shown(path))
    assert found <= allowed
