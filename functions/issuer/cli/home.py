"""What all commands of `issuer` share: exit codes, `--home` or the cloud, opening the service."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from issuer.bootstrap.process import open_service
from issuer.bootstrap.service import Service
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

DONE, FAILED, ERROR, USAGE = 0, 1, 2, 64  # 64 is EX_USAGE of sysexits.h

Command = Callable[[argparse.Namespace], int]
if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]
else:
    Commands = object


def add_command(commands: Commands, name: str, run: Command, text: str) -> argparse.ArgumentParser:
    """A subcommand that works on a home, or on the cloud that the environment names."""
    command = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    command.add_argument(
        "--home", type=Path, help="the home folder; without it: what the ATTESTLAYER_… variables name"
    )
    command.set_defaults(run=run)
    return command


def add_group(commands: Commands, name: str, text: str) -> Commands:
    """A command that has subcommands itself."""
    group = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    return group.add_subparsers(dest=f"{name}_command", required=True, metavar="COMMAND")


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
    return open_service(settings_of(arguments))


def service_and_packet(arguments: argparse.Namespace) -> tuple[Service, Packet]:
    """The service, and the packet that the arguments name. Raises `ServiceError` (NOT_FOUND)."""
    service = service_of(arguments)
    packet = service.ledger.packet(arguments.packet)
    if packet is None:
        raise ServiceError(Code.NOT_FOUND, f"there is no packet {arguments.packet!a}")
    return service, packet


def read_file(path: Path, limit: int) -> bytes:
    """A file's bytes, at most `limit`. Raises `ServiceError` (RECORD_REFUSED, TOO_LARGE)."""
    try:
        if path.exists() and not path.is_file():  # a pipe or a device would never end
            raise ServiceError(Code.RECORD_REFUSED, f"{path} is not a file")
        with path.open("rb") as stream:
            data = stream.read(limit + 1)  # one byte more shows that it is too large
    except OSError as error:
        raise ServiceError(Code.RECORD_REFUSED, f"{path}: {error.strerror}") from error
    if len(data) > limit:
        raise ServiceError(Code.TOO_LARGE, f"{path} has more than {limit} bytes")
    return data
