"""A missing tool skips a test, and fails it where everything is required."""

import pytest

from support.tools import REQUIRE_ALL, require


def test_a_tool_that_is_there_is_found() -> None:
    assert require("sh").name == "sh"


def test_a_missing_tool_skips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(REQUIRE_ALL, raising=False)
    with pytest.raises(pytest.skip.Exception):
        require("no-such-tool-anywhere")


def test_a_missing_tool_fails_where_everything_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REQUIRE_ALL, "1")
    with pytest.raises(pytest.fail.Exception, match="not installed"):
        require("no-such-tool-anywhere")
