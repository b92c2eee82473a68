"""A fresh log for each test."""

from pathlib import Path

import pytest

from support.log import TestLog


@pytest.fixture
def log(tmp_path: Path) -> TestLog:
    return TestLog(tmp_path)
