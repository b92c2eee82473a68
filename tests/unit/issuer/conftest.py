"""A fresh log for each test, without waiting for the disk."""

import os
from pathlib import Path

import pytest

from support.log import TestLog


@pytest.fixture
def log(tmp_path: Path) -> TestLog:
    return TestLog(tmp_path)


@pytest.fixture(autouse=True)
def no_power_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here loses power, so nothing waits for the disk: the tests of the adapters do that."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
