"""The line on a terminal: what, how far, how fast, how long yet; and nothing anywhere else."""

import io

from attestlayer.cli.audit import _Progress


class Terminal(io.StringIO):
    """Text that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def shown(out: io.StringIO) -> list[str]:
    return [line for line in out.getvalue().split("\r\x1b[K") if line]


def test_it_tells_the_rate_and_the_time_left() -> None:
    out, times = Terminal(), iter([100.0, 100.05, 102.0, 110.0])
    progress = _Progress(out, lambda: next(times))
    for done in (512, 768, 1024, 5632):
        progress("entries", done, 1_000_000)
    assert shown(out) == [
        "entries: 512 of 1000000",
        "entries: 1024 of 1000000, 256 a second, 1:05:02 left",
        "entries: 5632 of 1000000, 512 a second, 32:22 left",
    ]


def test_another_phase_starts_anew() -> None:
    out, times = Terminal(), iter([0.0, 5.0, 5.01, 10.01])
    progress = _Progress(out, lambda: next(times))
    progress("checkpoints", 0, 100)
    progress("checkpoints", 50, 100)
    progress("entries", 0, 512)
    progress("entries", 256, 512)
    assert shown(out)[1:] == [
        "checkpoints: 50 of 100, 10 a second, 0:05 left",
        "entries: 0 of 512",
        "entries: 256 of 512, 51 a second, 0:05 left",
    ]
    progress.clear()
    assert out.getvalue().endswith("\r\x1b[K")


def test_a_file_gets_no_progress() -> None:
    out = io.StringIO()
    progress = _Progress(out, lambda: 0.0)
    progress("entries", 1, 2)
    progress.clear()
    _Progress(None)("entries", 1, 2)
    assert out.getvalue() == ""
