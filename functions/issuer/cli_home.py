"""What all commands of `issuer` share: exit codes, `--home`, opening the service."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from issuer.bootstrap import Service, open_home
from issuer.settings import DEFAULT_CADENCE_S, Settings, parse_cadence

DONE, FAILED, ERROR, USAGE = 0, 1, 2, 64

Command = Callable[[argparse.Namespace], int]
if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]
else:
    Commands = object


def add_command(commands: Commands, name: str, run: Command, text: str) -> argparse.ArgumentParser:
    """A subcommand that takes `--home`."""
    command = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    command.add_argument("--home", type=Path, required=True, help="the home folder")
    command.set_defaults(run=run)
    return command


def add_group(commands: Commands, name: str, text: str) -> Commands:
    """A command that has subcommands itself."""
    group = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    return group.add_subparsers(dest=f"{name}_command", required=True, metavar="COMMAND")


def settings_of(arguments: argparse.Namespace) -> Settings:
    """The settings that the options give."""
    cadence = parse_cadence(getattr(arguments, "cadence", str(DEFAULT_CADENCE_S)))
    base_url = getattr(arguments, "base_url", Settings(arguments.home).base_url)
    return Settings(arguments.home, cadence, base_url)


def service_of(arguments: argparse.Namespace) -> Service:
    """The service of `--home`. Raises `ServiceError`."""
    return open_home(settings_of(arguments))
