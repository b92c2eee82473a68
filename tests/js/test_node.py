"""The browser verifier's modules under node: every vector comes out as it does for the Python core."""

import importlib.util
import json
import subprocess
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

import pytest

from support.tools import require

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
VECTORS = ROOT / "tests" / "vectors"
LISTS = sorted(VECTORS.glob("*.json"))
KITS = sorted((VECTORS / "kits").glob("*.json"))
DISCLOSURES = sorted((VECTORS / "disclosures").glob("*.json"))


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="ascii"))  # noqa: TID251


def answers(vectors: list[dict[str, Any]]) -> list[dict[str, Any]]:
    lines = "".join(json.dumps(vector) + "\n" for vector in vectors)
    done = subprocess.run(
        [require("node"), str(HERE / "vectors.mjs")], input=lines, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]  # noqa: TID251


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_each_vector_of_a_list_comes_out_as_expected(path: Path) -> None:
    vectors = load(path)
    found = [answer["word"] for answer in answers(vectors)]
    wrong = [(v["comment"], v["expect"], f) for v, f in zip(vectors, found, strict=True) if v["expect"] != f]
    assert wrong == []


def in_memory(given: dict[str, Any]) -> bool:
    return ("zip" in given or "folder" in given) and not given.get("links")


def test_each_kit_comes_out_as_expected() -> None:
    """But for what only a file system can hold: a link, nothing at all. The command-line runner has these."""
    vectors = {path.stem: load(path) for path in KITS}
    kits = {
        name: v
        for name, v in vectors.items()
        if ("zip" in v["input"] or "folder" in v["input"]) and not v["input"].get("links")
    }
    assert sorted(vectors.keys() - kits.keys()) == ["absent", "link-in-folder"]
    assert wrongly_judged(kits) == {}


def test_each_disclosed_record_comes_out_as_expected() -> None:
    vectors = {path.stem: load(path) for path in DISCLOSURES}
    assert len(vectors) > 25
    assert wrongly_judged(vectors) == {}


def wrongly_judged(vectors: dict[str, Any]) -> dict[str, Any]:
    wrong = {}
    for (name, vector), answer in zip(vectors.items(), answers(list(vectors.values())), strict=True):
        expected = {"word": vector["expect"]}
        if "step" in vector:
            expected |= {
                "step": vector["step"],
                "files": vector["files"],
                "remarks": sorted(vector["remarks"]),
            }
        found = {key: answer[key] for key in expected}
        if found != expected:
            wrong[name] = (expected, found)
    return wrong


def test_the_words_are_the_python_cores() -> None:
    loader = SourceFileLoader("make_verifier_words", str(ROOT / "scripts/make-verifier-words"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec
    made = importlib.util.module_from_spec(spec)
    loader.exec_module(made)
    assert made.TARGET.read_text(encoding="utf-8") == made.words_js()
