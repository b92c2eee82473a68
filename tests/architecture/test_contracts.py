"""The rules of the structure hold, and breaking one fails."""

import ast
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FUNCTIONS = ROOT / "functions"

FORBIDDEN = [
    ("attestlayer/log/merkle.py", "import issuer.errors"),
    ("attestlayer/verify/verifier.py", "import socket"),
    ("attestlayer/kit/container.py", "import os"),
    ("attestlayer/cli/main.py", "import boto3"),
    ("attestlayer/encoding.py", "import attestlayer.log.merkle"),
    ("issuer/services/issue.py", "import issuer.adapters.local.table"),
    ("issuer/services/issue.py", "import issuer.services.sequence"),
    ("issuer/services/sequence.py", "import issuer.settings"),
    ("issuer/adapters/local/table.py", "import issuer.adapters.local.directory"),
    ("issuer/adapters/local/directory.py", "import issuer.services.issue"),
    ("issuer/handlers/sequence.py", "import issuer.handlers.deliver"),
    ("issuer/intake/policy.py", "import issuer.ports"),
    ("issuer/ledger/books.py", "import sqlite3"),
    ("issuer/ledger/ledger.py", "import issuer.adapters.local.table"),
    ("issuer/model.py", "import cryptography"),
    ("issuer/unplaced.py", "VALUE = 1"),
]


@pytest.mark.parametrize(("file", "line"), FORBIDDEN, ids=[f"{f}: {i}" for f, i in FORBIDDEN])
def test_a_forbidden_import_breaks_a_contract(tmp_path: Path, file: str, line: str) -> None:
    shutil.copytree(FUNCTIONS, tmp_path / "functions", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    changed = tmp_path / "functions" / file
    text = changed.read_text() if changed.exists() else '"""A module that nobody placed."""\n'
    changed.write_text(f"{text}\n{line}\n")
    code = "import sys; sys.path[:0] = ['functions']; import importlinter.cli as c; c.lint_imports_command()"
    result = subprocess.run(
        [sys.executable, "-I", "-c", code, "--no-cache"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1, result.stdout + result.stderr
    assert "BROKEN" in result.stdout or "not listed" in result.stdout or "unplaced" in result.stdout


def test_the_contracts_hold_on_the_tree_as_it_is() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


STAND_IN = "issuer/release/standins/ed25519.py"
"""Becomes part of verify.py, which takes cryptography where it is there."""


@pytest.mark.parametrize(
    ("package", "home"), [("cryptography", "attestlayer/ed25519.py"), ("rfc8785", "attestlayer/jcs.py")]
)
def test_a_library_has_one_home(package: str, home: str) -> None:
    users = {
        str(path.relative_to(FUNCTIONS))
        for path in FUNCTIONS.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if package in _imported(node)
    }
    assert users - {STAND_IN} == {home}


def _imported(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Import):
        return {alias.name.partition(".")[0] for alias in node.names}
    return {(node.module or "").partition(".")[0]} if isinstance(node, ast.ImportFrom) else set()


def test_handlers_have_at_most_sixty_lines() -> None:
    for path in (FUNCTIONS / "issuer/handlers").glob("*.py"):
        assert len(path.read_text().splitlines()) <= 60, path.name


def test_the_wheel_is_the_public_core_and_needs_two_packages(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        lines = archive.read(metadata).decode().splitlines()
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"attestlayer"}
    needed = {line.split()[1].partition(">")[0] for line in lines if line.startswith("Requires-Dist:")}
    assert needed == {"cryptography", "rfc8785"}


def test_the_verifier_loads_neither_the_service_nor_its_packages() -> None:
    code = (
        "import sys, attestlayer.cli.main; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(result.stdout.split())
    assert "attestlayer" in loaded
    assert not loaded & {
        "issuer",
        "pydantic",
        "boto3",
        "jinja2",
        "typst",
        "waitress",
        "sqlite3",
        "aws_lambda_powertools",
    }
