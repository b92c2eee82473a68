"""Console command `issuer`: the operator's commands, over the same services that partners call.

Here: init, serve, sequence, collect, index, which concern a home and its log as a whole.

Exit codes: 0 done · 3 the records are not complete (FAIL), or `reconcile` or `audit` found something · 2 an
error, said on stderr · 64 usage. 1 means a crash, and is no answer.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace

from attestlayer.cli.command import time_argument
from attestlayer.encoding import format_time, shown
from attestlayer.errors import NoEd25519Error
from attestlayer.exit_codes import EXIT_INTERRUPTED
from attestlayer.log.tiles import WIDTH
from attestlayer.version import VERSION
from issuer.bootstrap.home import REGISTRY_FOLDER, initialise_home, open_home
from issuer.bootstrap.service import Service
from issuer.cli import audit, packet, partner, reconcile
from issuer.cli.home import (
    DONE,
    ERROR,
    add_command,
    add_subcommands,
    home_settings_of,
    service_of,
    settings_of,
)
from issuer.cli.terminal import CommandError, Parser, complain, log_to_terminal, number, say
from issuer.errors import Code, ServiceError
from issuer.local.application import make_server
from issuer.local.single import only_server
from issuer.log import face
from issuer.log.promise import oldest_waiting
from issuer.settings import DEFAULT_CADENCE_S, DEFAULT_PORT, CloudSettings

DEFAULT_ORIGIN = "registry.localhost"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except ServiceError as error:
        # The service's errors are for whoever typed the command; any other exception is a bug of ours.
        complain(f"issuer: {error.code.title}: {error.detail}")
        for fault in error.faults:
            complain(f"  {fault.pointer}: {fault.detail}. {fault.fix}")
        return ERROR
    except (CommandError, NoEd25519Error) as error:
        complain(f"issuer: {error}")
        return ERROR
    except BrokenPipeError:  # the reader of our output has gone: `issuer … | head`
        return ERROR
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="issuer", description="Operate an AttestLayer issuer and its registry.")
    parser.add_argument("--version", action="version", version=f"issuer {VERSION}")
    commands = add_subcommands(parser, "command")
    init = add_command(commands, "init", _init, "make a home: keys, genesis checkpoint, first notices")
    init.add_argument("--origin", default=None, help=f"the registry's name ({DEFAULT_ORIGIN})")
    serve = add_command(commands, "serve", _serve, "serve registry, site and partner API; run the log")
    serve.add_argument(
        "--port", type=number(0, 65_535), default=DEFAULT_PORT, help=f"port to listen on ({DEFAULT_PORT})"
    )
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    _add_cadence(serve)
    sequence = add_command(commands, "sequence", _sequence, "run one round of the log, then deliver")
    _add_cadence(sequence)
    sequence.add_argument(
        "--now",
        type=time_argument,
        metavar="TIME",
        help="the time now by a clock that you trust, as YYYY-MM-DDTHH:MM:SSZ: needed if the newest round is "
        "over a day old, as a round with a wrong time would stop the log",
    )
    partner.add_commands(commands)
    packet.add_commands(commands)
    reconcile.add_commands(commands)
    add_command(commands, "collect", _collect, "delete partial tiles and private objects that nobody needs")
    add_command(commands, "index", _index, "bring the public look-up index up to the newest checkpoint")
    audit.add_commands(commands)
    return parser


def _add_cadence(command: argparse.ArgumentParser) -> None:
    text = f"seconds between checkpoints ({DEFAULT_CADENCE_S})"
    command.add_argument("--cadence", default=str(DEFAULT_CADENCE_S), metavar="S", help=text)


def _init(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    if isinstance(settings, CloudSettings):
        service = _init_cloud(arguments, settings)
    else:
        service = initialise_home(settings, arguments.origin or DEFAULT_ORIGIN)
    trust = face.read_trust_root(service.public)
    say(f"home          {arguments.home or 'the cloud'}")
    checkpoint = trust.checkpoint
    say(f"registry      {service.origin}, checkpoint {checkpoint.sequence}, {checkpoint.head.size} leaves")
    for key in trust.keyring.keys.values():
        say(f"{key.role.value + ' key':14}{key.public.kid}, valid from {format_time(key.valid_from)}")
    place = arguments.home / REGISTRY_FOLDER if arguments.home else f"https://{service.origin}"
    say(f"trust root    {place}/v1/trust.json")
    say(f"identity      {trust.identity().format()}")
    say("witnesses     none demanded: if the registry key is ever revoked, kits issued before count no")
    say("              more, since only the operator dates their checkpoints. Name a witness policy early.")
    return DONE


def _init_cloud(arguments: argparse.Namespace, settings: CloudSettings) -> Service:
    if arguments.origin not in (None, settings.origin):
        raise ServiceError(
            Code.INVALID_REQUEST,
            f"found --origin {shown(arguments.origin)}, the environment says {settings.origin}",
        )
    from issuer.bootstrap.cloud import initialise_cloud  # boto3, which no home needs

    return initialise_cloud(settings)


def _serve(arguments: argparse.Namespace) -> int:
    log_to_terminal()
    settings = home_settings_of(arguments)
    service = open_home(settings)
    with only_server(settings.home):
        service.probe.run()
        service.publish()  # before the first request: pages name the trust root and the kit of verifiers
        server = make_server(service, arguments.host, arguments.port)
        say(f"registry, site and partner API: {server.url} (Ctrl-C ends it)")
        server.run()
    return DONE


def _sequence(arguments: argparse.Namespace) -> int:
    service = service_of(arguments)
    if arguments.now is not None:
        service = replace(service, watch=replace(service.watch, operator_time=arguments.now))
    report = service.sequencer.run()
    checkpoint = report.checkpoint
    where = (
        f"checkpoint {checkpoint.sequence}, {checkpoint.head.size} leaves" if checkpoint else "no checkpoint"
    )
    say(f"{report.outcome.value}: {where}, {report.leaves} new")
    now = int(service.clock.now())
    if waiting := oldest_waiting(service.ledger, service.public, now):
        age, promised = now - waiting.issued_at, waiting.merge_by - waiting.issued_at
        say(f"the oldest leaf that waits for a round is {age} s old, {promised} s are promised")
    delivery = service.deliverer.run()
    for kit_id in delivery.delivered:
        say(f"delivered {kit_id}")
    for leaf, why in delivery.failed:
        complain(f"not delivered, leaf {leaf}: {why}")
    return ERROR if delivery.failed else DONE


def _collect(arguments: argparse.Namespace) -> int:
    service = service_of(arguments)
    collection = service.collector.run()
    tidied = service.tidier.run()
    more = ", there may be more: run it again" if collection.more else ""
    known = collection.sequence >= 0
    settled = f"settled up to checkpoint {collection.sequence}" if known else "nothing is settled yet"
    say(f"deleted {collection.deleted} partial objects; {settled}{more}")
    say(f"deleted {tidied} private objects of rounds that are over, or whose retention ended")
    return DONE


def _index(arguments: argparse.Namespace) -> int:
    indexer, written = service_of(arguments).indexer, 0
    while True:
        indexing = indexer.run()
        written += indexing.written
        if not indexing.more:
            break
    say(f"wrote {written} objects; {indexing.groups * WIDTH} leaves are in the look-up index")
    return DONE
