"""The command line itself: usage, colours, width, encodings, interruption, advice."""

import io
import sys
from pathlib import Path

import pytest

from attestlayer.cli.advice import ADVICE, REMARK_ADVICE
from attestlayer.cli.main import main
from attestlayer.cli.text import age_words
from attestlayer.errors import Reason, Remark
from attestlayer.visible import visible
from support import build
from unit.cli.conftest import Run


class Terminal(io.TextIOWrapper):
    """A terminal of some encoding."""

    def __init__(self, encoding: str = "utf-8") -> None:
        self.raw_bytes = io.BytesIO()
        super().__init__(self.raw_bytes, encoding=encoding)

    def isatty(self) -> bool:
        return True

    def shown(self) -> str:
        self.flush()
        return self.raw_bytes.getvalue().decode(self.encoding)


def shown_on(terminal: Terminal, files: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(sys, "stdout", terminal)
    assert main(["verify", str(files / "kit.zip"), "--trust", str(files / "trust.json")]) == 0
    return terminal.shown()


def test_a_terminal_gets_colours(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown_on(Terminal(), files, monkeypatch).startswith("\x1b[1;32m✓ VERIFIED\x1b[0m\n")


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_no_colours_where_they_are_not_wanted(
    files: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert "\x1b" not in shown_on(Terminal(), files, monkeypatch)


def test_an_empty_no_color_counts_as_unset(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "")  # no-color.org: "when present and not an empty string"
    assert "\x1b" in shown_on(Terminal(), files, monkeypatch)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1"])
def test_a_terminal_without_the_marks_gets_ascii(
    files: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    out = shown_on(Terminal(encoding), files, monkeypatch)
    assert out.startswith("+ VERIFIED\n")
    assert out.isascii()


@pytest.mark.parametrize("columns", [1, 40, 80, 100, 500])
def test_lines_fit_the_terminal_from_60_columns_and_no_line_is_over_100(
    run: Run, files: Path, delivered: build.Delivered, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.chdir(files)
    lines = run("verify", "kit.zip", "--trust", "trust.json").out.splitlines()
    key = delivered.trust.identity().format()  # whole on its line, however long: it is for comparing
    (identity,) = (line for line in lines if line.endswith(key))
    lines.remove(identity)
    assert max(map(len, lines)) <= max(61, min(columns, 100))  # 18 and a hash of 43


def test_a_closed_stdout_leaves_the_exit_code(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    assert main(["verify", str(files / "kit.zip"), "--trust", str(files / "trust.json")]) == 0
    assert main(["verify", str(files / "kit.zip")]) == 2


def test_an_interrupted_command_exits_130(files: Path) -> None:
    def interrupt() -> int:
        raise KeyboardInterrupt

    assert main(["verify", str(files / "kit.zip")], clock=interrupt) == 130


def test_a_fault_of_ours_gives_no_verdict_and_no_traceback(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fault() -> int:
        raise ZeroDivisionError("a fault")

    assert main(["verify", str(files / "kit.zip")], clock=fault) == 2
    assert capsys.readouterr() == (
        "",
        "attestlayer: internal error, nothing was decided: ZeroDivisionError: a fault\n",
    )


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["bogus"],
        ["verify"],
        ["verify", ""],
        ["verify", "a\0b"],
        ["verify", "a", "--tru", "b"],
        ["nonce", "x"],
    ],
)
def test_usage_errors_exit_64_with_a_hint_on_stderr(run: Run, arguments: list[str]) -> None:
    result = run(*arguments)
    assert (result.code, result.out) == (64, "")
    assert result.err.startswith("usage: attestlayer")


def test_help_names_the_exit_codes(run: Run) -> None:
    result = run("--help")
    assert result.code == 0
    assert "64" in result.out
    for command in ("verify", "verify-receipt", "inspect", "nonce", "trust"):
        assert run(command, "--help").code == 0


def test_the_version_is_shown(run: Run) -> None:
    result = run("--version")
    assert result.code == 0
    assert result.out.startswith("attestlayer ")


def test_every_reason_and_every_remark_has_its_advice() -> None:
    assert set(ADVICE) == set(Reason)
    assert set(REMARK_ADVICE) == set(Remark)
    for text in (*ADVICE.values(), *REMARK_ADVICE.values()):
        assert text.isascii()
        assert text.endswith(".")


def test_what_is_no_visible_character_is_escaped() -> None:
    assert visible("a\x1b[1m\r\n\x9b\u2028\u202e\udcffé b") == (r"a\x1b[1m\r\n\x9b\u2028\u202e\udcff" + "é b")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1, "later than this machine's clock"),
        (0, "less than a minute ago"),
        (60, "1 minute ago"),
        (7200, "2 hours ago"),
        (86400, "1 day ago"),
    ],
)
def test_an_age_is_told_in_its_largest_unit(seconds: int, words: str) -> None:
    assert age_words(seconds) == words
