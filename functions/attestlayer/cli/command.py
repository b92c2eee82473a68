"""One command line: its arguments parsed, its answer written, its exit code.

Exit codes: `attestlayer.exit_codes`. A command works out its answer first; `run_command` writes it.
"""

import argparse
import contextlib
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, TextIO

from attestlayer.cli.new_file import OutputError
from attestlayer.cli.text import Style
from attestlayer.encoding import parse_decimal, parse_origin, parse_time
from attestlayer.errors import CouldNotCheckError, NoEd25519Error, Reason, VerificationError
from attestlayer.exit_codes import EXIT_COULD_NOT, EXIT_INTERRUPTED, EXIT_USAGE
from attestlayer.version import VERSION
from attestlayer.visible import visible

MAX_JOBS = 64
URL_JOBS = 8
"""Threads that read from a URL if nobody says how many: a browser opens about as many connections."""

EXIT_WORDS = """\
exit codes:
  0    VERIFIED, or done, or a clean audit
  2    COULD NOT CHECK, or could not be done: no statement about the kit
  3    NOT VERIFIED, or an audit with findings
  64   the command line was not understood
  130  interrupted
Any other code is a crash: no statement about the kit."""

_EPILOG = f"""\
{EXIT_WORDS}

environment:
  XDG_CONFIG_HOME  the installed trust root is $XDG_CONFIG_HOME/attestlayer/trust.json,
                   or ~/.config/attestlayer/trust.json
  NO_COLOR         no colours; so does TERM=dumb

No command uses a network but `audit URL`, `trust update` and `verify --registry URL`.
Integrity and issuance evidence only. Not audit, certification, or compliance guarantee."""

_TRUST_HELP = "trust root to check with (default: the installed one); never one out of a kit"
AT_HELP = (
    "the time by which the newest checkpoint's age is judged, YYYY-MM-DDTHH:MM:SSZ: for an archive, when it "
    "was copied (default: now)"
)
_JSON_HELP = "one JSON document, attestlayer/verification-report/1"


class Parser(argparse.ArgumentParser):
    """argparse with exit code 64 for usage errors, and no abbreviated options."""

    def __init__(self, **options: Any) -> None:
        layout = partial(argparse.RawDescriptionHelpFormatter, max_help_position=26)
        super().__init__(**{"allow_abbrev": False, "formatter_class": layout, **options})

    def error(self, message: str) -> NoReturn:
        """Print the usage and the message, and end."""
        self.exit(EXIT_USAGE, f"{self.format_usage()}{self.prog}: {visible(message)}\n")

    def print_commands(self, _: argparse.Namespace, __: "Surroundings") -> NoReturn:
        """Print the help on stderr, and end: nothing was asked for, so nothing was done."""
        self.exit(EXIT_USAGE, self.format_help())


def build_parser(commands: Mapping[str, object]) -> Parser:
    """The parser; `commands` by name become the namespace's `command`."""
    parser = Parser(
        prog="attestlayer",
        description="Verify AttestLayer evidence kits, offline.",
        epilog=_EPILOG,
    )
    parser.add_argument("--version", action="version", version=f"attestlayer {VERSION}")
    parser.set_defaults(command=parser.print_commands)
    parsers = parser.add_subparsers(title="commands", metavar="COMMAND")

    def add(name: str, text: str) -> Parser:
        added = parsers.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        added.set_defaults(command=commands[name], usage_error=added.error)
        return added

    verify = add("verify", "check a kit, a ZIP or a folder, in fifteen steps")
    add_verify(verify)
    _add_registry(verify)
    add_verify_receipt(add("verify-receipt", "check a registry receipt by itself, without its kit"))
    _add_disclose(add("disclose", "make a file that shows one record of a kit, and nothing of the others"))
    inspect = add("inspect", "show what a kit or a document claims, without checking it")
    inspect.add_argument("file", metavar="FILE", type=path_argument)
    _add_nonce(add("nonce", "make a client nonce file, to be submitted with the records"))
    _add_trust(add("trust", "show a trust root, or install it"))
    _add_update(add("trust update", "renew the installed trust root from its registry"))
    _add_audit(add("audit", "compute a whole registry anew from its entries, and report what differs"))
    return parser


def add_verify(parser: Parser) -> None:
    """Add the arguments of `verify`, which the single-file verifier has too."""
    parser.add_argument("kit", metavar="KIT", type=path_argument, help="the kit: a ZIP file or a folder")
    parser.add_argument("--trust", metavar="FILE", type=path_argument, help=_TRUST_HELP)
    parser.add_argument("--json", action="store_true", help=_JSON_HELP)


def add_verify_receipt(parser: Parser) -> None:
    """Add the arguments of `verify-receipt`, which the single-file verifier has too."""
    parser.add_argument("receipt", metavar="RECEIPT", type=path_argument, help="registry_receipt.json")
    anchors = parser.add_mutually_exclusive_group()
    anchors.add_argument("--trust", metavar="FILE", type=path_argument, help=_TRUST_HELP)
    anchors.add_argument(
        "--jwks",
        metavar="FILE",
        type=path_argument,
        help="the registry's JWKS instead: steps 13 and 15 are left out",
    )
    parser.add_argument("--origin", type=_origin, help="the registry whose JWKS it is, host and path")
    parser.add_argument(
        "--tlog-proof",
        metavar="OUT",
        type=path_argument,
        help="if verified, write it as a C2SP tlog-proof to a new file",
    )
    parser.add_argument("--json", action="store_true", help=_JSON_HELP)


def _add_disclose(parser: Parser) -> None:
    parser.add_argument("kit", metavar="KIT", type=path_argument, help="the kit: a ZIP file or a folder")
    parser.add_argument("record", metavar="RECORD", type=_not_empty, help="its name: records/003-…")
    parser.add_argument(
        "-o", "--output", metavar="PART", type=path_argument, required=True, help="a new file, a ZIP"
    )
    parser.add_argument("--trust", metavar="FILE", type=path_argument, help=_TRUST_HELP)


def _add_nonce(parser: Parser) -> None:
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=path_argument,
        default=Path("client_nonce.txt"),
        help="a new file (default: client_nonce.txt)",
    )
    parser.add_argument(
        "--checkpoint",
        metavar="FILE|HASH",
        type=_not_empty,
        help="the newest checkpoint you saw, its JSON file or its hash: dates the kit from below",
    )


def _add_trust(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE", type=path_argument, help="trust.json")
    parser.add_argument("--install", action="store_true", help="copy it to where `verify` looks for one")
    _add_accept(parser)


def _add_update(parser: Parser) -> None:
    parser.add_argument(
        "source",
        metavar="URL|FILE",
        type=_not_empty,
        nargs="?",
        help="a registry, a mirror or a newer trust.json (default: https://ORIGIN/v1/trust.json)",
    )
    parser.add_argument(
        "--trust",
        metavar="FILE",
        type=path_argument,
        help="the trust root to renew (default: the installed one)",
    )
    _add_accept(parser)


def _add_accept(parser: Parser) -> None:
    parser.add_argument(
        "--accept",
        metavar="NAME",
        type=_not_empty,
        action="append",
        default=[],
        help="confirm a changed registry key or witness policy by the name that the refusal gives it",
    )


def _add_registry(parser: Parser) -> None:
    parser.add_argument(
        "--registry",
        metavar="URL",
        type=_not_empty,
        help="compare with the public log: ask the registry for its newest checkpoint. Uses the network",
    )
    parser.add_argument(
        "--origin-mirrored",
        action="store_true",
        help="the URL is a mirror: it need not be the trust root's origin",
    )


def _add_audit(parser: Parser) -> None:
    parser.add_argument("registry", metavar="URL|DIR", type=_not_empty, help="where the registry is")
    parser.add_argument(
        "--trust", metavar="FILE", type=path_argument, help="trust root (default: the registry's own keys)"
    )
    parser.add_argument(
        "--since",
        metavar="FILE|HASH",
        type=_not_empty,
        help="a checkpoint audited before, its JSON file or its hash: look at what came after it only",
    )
    parser.add_argument(
        "--state",
        metavar="FILE",
        type=path_argument,
        help="keep the progress here, and go on from it: after an interruption, or with what is new since "
        "the last audit, and at a random sample of the rest. Protect this file: a later audit trusts what it "
        "says has already been checked",
    )
    parser.add_argument(
        "--jobs",
        metavar="N",
        type=_jobs,
        help=f"read with N threads, 1 to {MAX_JOBS}, each over a connection of its own (default: "
        f"{URL_JOBS} from a URL, 1 from a folder)",
    )
    parser.add_argument("--at", metavar="TIME", type=time_argument, help=AT_HELP)
    parser.add_argument("--json", action="store_true", help="one JSON document, attestlayer/audit-report/1")


def _not_empty(text: str) -> str:
    if not text or "\0" in text:
        raise argparse.ArgumentTypeError("wanted a name, found an empty one")
    return text


def path_argument(text: str) -> Path:
    """The argument type of file names."""
    return Path(_not_empty(text))


def time_argument(text: str) -> int:
    """The argument type of times: POSIX seconds of an RFC 3339 time in UTC."""
    try:
        return parse_time(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def check_hash_or_file(text: str) -> None:
    """Refuse what is neither the hash of a checkpoint nor a file. Raises `CouldNotCheckError`."""
    if not os.path.lexists(text):
        message = f"{text} is no file, and not a checkpoint's hash, which has 43 characters of base64url"
        raise CouldNotCheckError(Reason.INPUT_UNREADABLE, message)


def _jobs(text: str) -> int:
    try:
        return parse_decimal(text, MAX_JOBS, 1)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _origin(text: str) -> str:
    try:
        return parse_origin(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


_PROBE = "✓✗–═·…’"


@dataclass(frozen=True, slots=True)
class Output:
    """A command's text and its exit code."""

    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The surroundings of a command: how to write, and the time in POSIX seconds.

    `default_trust` says where a trust root lies if none is named; it raises `CouldNotCheckError`.
    """

    style: Style
    now: int
    default_trust: Callable[[], Path]


Command = Callable[[argparse.Namespace, Surroundings], Output]


def variable(name: str) -> str:
    """An environment variable, empty if it is not set. The command reads three: see its help."""
    return os.environ.get(name, "")  # noqa: TID251


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
        return write(sys.stdout, Output(int(stop.code or 0), ""))
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except Exception as error:  # the edge: an input that finds a fault of ours gets no verdict, no traceback
        return complain(f"internal error, nothing was decided: {type(error).__name__}: {error}")


def _answer(arguments: argparse.Namespace, around: Surroundings) -> Output:
    command: Command = arguments.command
    try:
        return command(arguments, around)
    except VerificationError as error:
        return Output(complain(f"{error.reason}: {error}"), "")
    except (NoEd25519Error, OutputError) as error:
        return Output(complain(str(error)), "")
    except OSError as error:
        return Output(complain(f"{error.filename or 'input'}: {error.strerror or error}"), "")


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


def write(out: TextIO | None, answer: Output) -> int:
    """Write the answer. A reader that left has read enough; a full disk has not got the report: exit 2."""
    if out is None:
        return answer.code
    try:
        # A terminal that lacks a character gets an escape instead: an answer must not die of a file's name.
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
    """Discard buffered output, so that the interpreter's last flush can't fail."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())


def complain(message: str) -> int:
    """Say on stderr why there is no answer; returns the exit code."""
    with contextlib.suppress(OSError, ValueError, AttributeError):  # a closed stderr is None
        sys.stderr.write(f"attestlayer: {visible(message)}\n")
    return EXIT_COULD_NOT
