"""A fresh log for each test, without waiting for the disk."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from support.log import TestLog

MEMORY, ENOUGH = Path("/dev/shm"), 1 << 30


@pytest.fixture
def log(tmp_path: Path) -> TestLog:
    return TestLog(tmp_path)


@pytest.fixture(autouse=True)
def no_power_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here loses power, so nothing waits for the disk: the tests of the adapters do that.

    Homes that are made by the thousand (`tempfile`, not `tmp_path`) are in memory, where there is enough.
    """
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH:
        monkeypatch.setattr(tempfile, "tempdir", str(MEMORY))
