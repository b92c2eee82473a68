"""The command line of the single-file verifier: `verify.py KIT`, and the commands that check.

Used only in `verify.py`, which is made of this module and all that it needs.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from attestlayer.cli.command import (
    EXIT_WORDS,
    Command,
    Parser,
    add_verify,
    add_verify_receipt,
    path_argument,
    read_clock,
    run_command,
)
from attestlayer.cli.selftest import selftest
from attestlayer.cli.trust import show_trust
from attestlayer.cli.verify import verify_kit, verify_receipt
from attestlayer.kit.receipt import BOUNDARY
from attestlayer.version import VERSION

_COMMANDS: dict[str, Command] = {
    "verify": verify_kit,
    "verify-receipt": verify_receipt,
    "trust": show_trust,
    "selftest": selftest,
}
_EPILOG = f"""\
`verify.py KIT` is short for `verify.py verify KIT`. Without --trust, the trust root is trust.json beside
this file. It never comes with a kit: take it from somebody you trust, and compare its registry key.

{EXIT_WORDS}

No command uses a network.
{BOUNDARY}"""


def main(
    argv: Sequence[str] | None = None,
    *,
    clock: Callable[[], int] = read_clock,
    beside: Path = Path(__file__).parent,
) -> int:
    """Run one command line; returns its exit code. `beside`: the folder with the default trust root."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] not in {*_COMMANDS, "-h", "--help", "--version"}:
        words.insert(0, "verify")
    return run_command(_build_parser(), words, clock=clock, default_trust=lambda: beside / "trust.json")


def _build_parser() -> Parser:
    parser = Parser(
        prog="verify.py",
        description="Verify AttestLayer evidence kits, offline, with Python alone.",
        epilog=_EPILOG,
    )
    parser.add_argument("--version", action="version", version=f"attestlayer {VERSION}")
    parsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def add(name: str, text: str) -> Parser:
        added: Parser = parsers.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        added.set_defaults(command=_COMMANDS[name], usage_error=added.error)
        return added

    add_verify(add("verify", "check a kit, a ZIP or a folder, in fifteen steps"))
    add_verify_receipt(add("verify-receipt", "check a registry receipt by itself, without its kit"))
    add("trust", "show a trust root").add_argument("file", metavar="FILE", type=path_argument)
    tested = add("selftest", "check known kits and say whether this verifier does what it should")
    tested.add_argument(
        "folder", metavar="FOLDER", type=path_argument, nargs="?", help="default: vectors, beside this file"
    )
    return parser
