"""Kits, registry objects, reports and verdicts of fixed inputs are, byte for byte, those that are known."""

import json
from pathlib import Path

from support.known_bytes import KNOWN, known_bytes


def test_the_same_inputs_make_the_known_bytes(tmp_path: Path) -> None:
    assert known_bytes(tmp_path) == json.loads(KNOWN.read_text("utf-8"))  # noqa: TID251
