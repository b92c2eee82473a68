"""What all commands of `issuer` share: exit codes, `--home` or the cloud, opening the service."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from attestlayer.encoding import shown
from attestlayer.exit_codes import EXIT_COULD_NOT, EXIT_DONE, EXIT_NO
from attestlayer.reading.files import open_regular
from issuer.bootstrap.process import open_service
from issuer.bootstrap.service import Service
from issuer.cli.terminal import CommandError, Parser, path
from issuer.errors import Code, ServiceError
from issuer.model import Packet
from issuer.settings import (
    DEFAULT_CADENCE_S,
    CloudSettings,
    Settings,
    check_no_cloud,
    parse_cadence,
    read_settings,
)

# The numbers of the command `attestlayer`, so that a script can treat both alike.
DONE, FAILED, ERROR = EXIT_DONE, EXIT_NO, EXIT_COULD_NOT

Command = Callable[[argparse.Namespace], int]
if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[Parser]
else:
    Commands = object


def add_command(commands: Commands, name: str, run: Command, text: str, *, reads: bool = False) -> Parser:
    """A subcommand that works on a home, or on the cloud that the environment names.

    `reads`: it only reads, and so works on a read-only home.
    """
    command = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    command.add_argument(
        "--home", type=path, help="the home folder; without it: what the ATTESTLAYER_… variables name"
    )
    command.set_defaults(run=run, reads=reads)
    return command


def add_group(commands: Commands, name: str, text: str) -> Commands:
    """A command that has subcommands itself."""
    group = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    return add_subcommands(group, f"{name}_command")


def add_subcommands(parser: Parser, name: str) -> Commands:
    """Subcommands of a parser, which prints its help if none is named."""
    parser.set_defaults(run=parser.print_commands)
    return parser.add_subparsers(dest=name, metavar="COMMAND")


def settings_of(arguments: argparse.Namespace) -> Settings | CloudSettings:
    """The settings that the options give, else the environment. Raises `ServiceError`."""
    if arguments.home is None:
        return read_settings()
    check_no_cloud()  # --home beside the cloud's variables: which of the two was meant?
    cadence = parse_cadence(getattr(arguments, "cadence", str(DEFAULT_CADENCE_S)))
    return Settings(arguments.home, cadence)


def home_settings_of(arguments: argparse.Namespace) -> Settings:
    """As `settings_of`, for what only a home can do. Raises `ServiceError`."""
    settings = settings_of(arguments)
    if isinstance(settings, CloudSettings):
        raise ServiceError(Code.HOME_UNUSABLE, "this command works on a home: use --home")
    return settings


def service_of(arguments: argparse.Namespace) -> Service:
    """The service that the options or the environment name. Raises `ServiceError`."""
    return open_service(settings_of(arguments), read_only=arguments.reads)


def service_and_packet(arguments: argparse.Namespace) -> tuple[Service, Packet]:
    """The service, and the packet that the arguments name. Raises `ServiceError` (NOT_FOUND)."""
    service = service_of(arguments)
    packet = service.ledger.packet(arguments.packet)
    if packet is None:
        raise ServiceError(Code.NOT_FOUND, f"there is no packet {shown(arguments.packet)}")
    return service, packet


def read_file(file: Path, limit: int) -> bytes:
    """A file's bytes, at most `limit`. Raises `CommandError`."""
    try:
        if file.exists() and not file.is_file():  # looked at first: opening a device can have effects
            raise CommandError(f"{file} is not a file")
        with open_regular(file) as stream:
            data = stream.read(limit + 1)  # one byte more shows that it is too large
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from error
    if len(data) > limit:
        raise CommandError(f"{file} has more than {limit} bytes")
    return data
