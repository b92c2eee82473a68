"""The edge of the console commands: one command line in, its answer written, its exit code out.

Exit codes: 0 VERIFIED (or done), 1 NOT VERIFIED, 2 COULD NOT CHECK (or could not be done), 64 usage,
130 interrupted. A command works out its answer first; `run_command` writes it.
"""

import argparse
import contextlib
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from attestlayer.cli.text import Style, printable
from attestlayer.cli.trust import variable
from attestlayer.errors import VerificationError

EXIT_DONE = 0
EXIT_COULD_NOT = 2
EXIT_INTERRUPTED = 130  # 128 + SIGINT

_PROBE = "✓✗–═·…’"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command has to say, and its exit code."""

    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a command is given from outside: how to write, the time in POSIX seconds.

    `default_trust` says where a trust root lies if none is named; it raises `CouldNotCheckError`.
    """

    style: Style
    now: int
    default_trust: Callable[[], Path]


Command = Callable[[argparse.Namespace, Surroundings], Answer]


def read_clock() -> int:
    """POSIX seconds, to show the age of a trust root: no verdict depends on them."""
    return int(datetime.now(UTC).timestamp())  # noqa: TID251


def run_command(
    parser: argparse.ArgumentParser,
    argv: Sequence[str] | None,
    *,
    clock: Callable[[], int],
    default_trust: Callable[[], Path],
) -> int:
    """Run one command line; returns its exit code. Writes to stdout and stderr, raises nothing."""
    try:
        arguments = parser.parse_args(argv)
        return write(
            sys.stdout, _answer(arguments, Surroundings(_style_of(sys.stdout), clock(), default_trust))
        )
    except SystemExit as stop:  # argparse's --help and --version, and usage errors
        return write(sys.stdout, Answer(int(stop.code or 0), ""))
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except Exception as error:  # the edge: an input that finds a fault of ours gets no verdict, no traceback
        return complain(f"internal error, nothing was decided: {type(error).__name__}: {error}")


def _answer(arguments: argparse.Namespace, around: Surroundings) -> Answer:
    command: Command = arguments.command
    try:
        return command(arguments, around)
    except VerificationError as error:
        return Answer(complain(f"{error.reason}: {error}"), "")
    except OSError as error:
        return Answer(complain(f"{error.filename or 'input'}: {error.strerror or error}"), "")


def create_file(place: Path, data: bytes) -> None:
    """Write a new file. Raises `OSError`, also if there is one of that name."""
    with place.open("xb") as file:
        try:
            file.write(data)
            file.flush()
        except OSError:
            place.unlink()
            raise


def _style_of(out: TextIO | None) -> Style:
    if out is None:
        return Style()
    try:
        _PROBE.encode(out.encoding or "ascii")
        unicode = True
    except (UnicodeEncodeError, LookupError):
        unicode = False
    plain = variable("NO_COLOR") or variable("TERM") == "dumb"  # no-color.org
    return Style(shutil.get_terminal_size().columns, out.isatty() and not plain, unicode)


def write(out: TextIO | None, answer: Answer) -> int:
    """Write the answer. A reader that left has read enough; a full disk has not got the report: exit 2."""
    if out is None:
        return answer.code
    try:
        encoding = out.encoding or "ascii"
        out.write(answer.text.encode(encoding, "backslashreplace").decode(encoding))
        out.flush()
    except BrokenPipeError:
        _silence(out)
    except (OSError, ValueError) as error:
        _silence(out)
        return complain(f"could not write the answer: {error}")
    return answer.code


def _silence(out: TextIO) -> None:
    """Let what is still buffered go nowhere, so that the interpreter's last flush has nothing to say."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())


def complain(message: str) -> int:
    """Say on stderr why there is no answer; returns the exit code."""
    with contextlib.suppress(OSError, ValueError, AttributeError):  # a closed stderr is None
        sys.stderr.write(f"attestlayer: {printable(message)}\n")
    return EXIT_COULD_NOT
