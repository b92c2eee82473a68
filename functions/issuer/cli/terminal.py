"""The terminal of `issuer`: the only place that prints, arguments as they are taken, files to be written.

Partners, clients and files bring text that nobody checked: each line passes `visible` before it is printed.
"""

import argparse
import logging
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TextIO

from attestlayer.canonical import Members
from attestlayer.cli.json import format_ascii_json
from attestlayer.encoding import parse_decimal, shown
from attestlayer.exit_codes import EXIT_USAGE
from attestlayer.visible import visible

TEXT_MAX, NAME_MAX = 4000, 200
"""Characters of an argument that is stored as text, and of one that is a name: as many as the API takes."""


_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class CommandError(Exception):
    """A command that can't be carried out because of something on this machine, in one sentence."""


class Parser(argparse.ArgumentParser):
    """argparse with exit code 64 for usage errors; without a command it prints its help."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and the message, and end."""
        self.exit(EXIT_USAGE, f"{self.format_usage()}{self.prog}: {visible(message)}\n")

    def print_commands(self, _: argparse.Namespace) -> int:
        """Print the help on stderr: nothing was asked for, so nothing was done."""
        self.print_help(sys.stderr)
        return EXIT_USAGE


class VisibleFormatter(logging.Formatter):
    """Log records with tracebacks, line by line: an error's message may hold what a stranger sent."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's lines, made visible."""
        return "\n".join(visible(line) for line in super().format(record).split("\n"))


def log_to_terminal() -> None:
    """Have log records printed on stderr, unless the process has a handler of its own."""
    handler = logging.StreamHandler()
    handler.setFormatter(VisibleFormatter())
    logging.basicConfig(handlers=[handler], level=logging.WARNING)


def say(line: str = "") -> None:
    """Print one line of an answer."""
    _print(sys.stdout, line)


def complain(line: str) -> None:
    """Print one line on stderr."""
    _print(sys.stderr, line)


def say_json(document: Members) -> None:
    """Print a document in ASCII."""
    sys.stdout.write(format_ascii_json(document))
    sys.stdout.flush()


def rewrite(line: str) -> None:
    """Replace the line of progress on stderr; an empty one erases it. Nothing unless it is a terminal."""
    if sys.stderr.isatty():
        # ECMA-48: CSI K erases from the cursor to the end of the line.
        print(f"\r\x1b[K{visible(line)}", end="", file=sys.stderr, flush=True)


def _print(out: TextIO, line: str) -> None:
    # A terminal that lacks a character gets an escape: a command must not die of a client's name.
    encoding = out.encoding or "ascii"
    print(visible(line).encode(encoding, "backslashreplace").decode(encoding), file=out, flush=True)


def text(maximum: int = TEXT_MAX) -> Callable[[str], str]:
    """The argument type of text that is stored, which must not be blank."""

    def parse(argument: str) -> str:
        check_encoding(argument)
        if not argument.strip() or len(argument) > maximum:
            found = f"{shown(argument)}{' of blanks only' if argument and not argument.strip() else ''}"
            raise argparse.ArgumentTypeError(f"found {found}, wanted 1 to {maximum} characters")
        return argument

    return parse


def key(argument: str) -> str:
    """The argument type of an idempotency key: as the API takes it."""
    if not _KEY.fullmatch(argument):
        message = f"found {shown(argument)}, wanted 1 to 255 visible ASCII characters"
        raise argparse.ArgumentTypeError(message)
    return argument


def check_encoding(argument: str) -> None:
    """Refuse text whose bytes were not UTF-8, which no document can hold. Raises `ArgumentTypeError`."""
    if any("\ud800" <= character <= "\udfff" for character in argument):
        raise argparse.ArgumentTypeError(f"found {shown(argument)}, wanted text in UTF-8")


def path(argument: str) -> Path:
    """The argument type of files and folders: an empty one would be taken for the current folder."""
    if not argument or "\0" in argument:
        raise argparse.ArgumentTypeError(f"found {shown(argument)}, wanted the name of a file or folder")
    return Path(argument)


def number(minimum: int, maximum: int) -> Callable[[str], int]:
    """The argument type of a decimal number in a range."""

    def parse(argument: str) -> int:
        try:
            return parse_decimal(argument, maximum, minimum)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return parse


def check_new_file(place: Path) -> None:
    """Refuse a file that exists, and one in a folder that does not. Raises `CommandError`."""
    if os.path.lexists(place):
        raise CommandError(f"{place} exists already: name a new file, none is overwritten")
    if not place.parent.is_dir():
        raise CommandError(f"{place}: there is no folder {place.parent}")
