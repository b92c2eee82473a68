"""`issuer packet`: by hand what partners do over the API."""

import argparse

from attestlayer.canonical import format_json
from attestlayer.encoding import format_hash, format_time, sha256, shown
from issuer.cli import add, terminal
from issuer.cli.home import (
    DONE,
    FAILED,
    Commands,
    add_command,
    add_group,
    read_file,
    service_and_packet,
    service_of,
)
from issuer.cli.terminal import check_new_file, say
from issuer.errors import Code, ServiceError
from issuer.intake.blocker_report import format_blocker_text
from issuer.intake.evaluate import Outcome
from issuer.kits.names import delivered_object
from issuer.ledger.whole import packets_of
from issuer.model import Answer, Claim, Workspace

_NAME = terminal.text(terminal.NAME_MAX)
_MAX_NONCE = 1024  # bytes; a nonce file has some hundred


def add_commands(commands: Commands) -> None:
    """Add the group `issuer packet` to the parser."""
    group = add_group(commands, "packet", "packets: open, add records, check, issue")
    open_ = add_command(group, "open", _open, "open a packet for a lane and profile")
    open_.add_argument("workspace")
    open_.add_argument("lane")
    open_.add_argument("profile")
    open_.add_argument(
        "--reference",
        type=_NAME,
        default=None,
        help="your own reference, never public",
    )
    open_.add_argument("--supersedes", default=None, metavar="KIT", help="the kit that this one replaces")
    add.add_commands(group)
    add_command(group, "list", _list, "packets, newest first", reads=True).add_argument(
        "workspace", nargs="?", help="of this workspace only"
    )
    remove = add_command(group, "remove", _remove, "take a record out")
    remove.add_argument("packet")
    remove.add_argument("record")
    for name, run, meaning in (
        ("show", _show, "state, records, attempts, kit"),
        ("check", _check, "check the records against the policy; free"),
        ("withdraw", _withdraw, "withdraw the packet"),
    ):
        add_command(group, name, run, meaning, reads=run is _show).add_argument("packet")
    issue = add_command(group, "issue", _issue, "issue: PASS takes one credit, FAIL none")
    issue.add_argument("packet")
    issue.add_argument(
        "--nonce", type=terminal.path, required=True, help="the client's nonce file (attestlayer nonce)"
    )
    issue.add_argument(
        "--key",
        type=terminal.key,
        default=None,
        help="idempotency key (made of packet, nonce and number of FAILs)",
    )
    kit = add_command(group, "kit", _kit, "write the finished kit to a file", reads=True)
    kit.add_argument("packet")
    kit.add_argument("-o", "--output", type=terminal.path, required=True, help="a new file")


def _open(arguments: argparse.Namespace) -> int:
    service = service_of(arguments)
    service.workspaces.get(arguments.workspace)
    packet = service.packets.open(
        arguments.workspace,
        arguments.lane,
        arguments.profile,
        arguments.reference or "",
        supersedes=arguments.supersedes,
    )
    # A packet is stored together with an answer that is bound to a key, here one that nobody sends.
    claim = service.packets.claim(arguments.workspace, f"open {packet.packet_id}", packet.packet_id.encode())
    if isinstance(claim, Claim):
        body = format_json({"packet_id": packet.packet_id})
        service.packets.store(packet, claim, Answer(201, body))
    say(packet.packet_id)
    for record_type in service.packets.policy_of(packet).record_types:
        most = f"{record_type.min_count} to {record_type.max_count}"
        say(f"  {record_type.type_id:28} {most:10} {record_type.title}")
    return DONE


def _remove(arguments: argparse.Namespace) -> int:
    service, packet = service_and_packet(arguments)
    service.packets.remove_record(packet.workspace_id, packet.packet_id, arguments.record)
    return DONE


def _check(arguments: argparse.Namespace) -> int:
    service, packet = service_and_packet(arguments)
    packet, report = service.packets.check(packet.workspace_id, packet.packet_id)
    text = format_blocker_text(report, service.packets.policy_of(packet), int(service.clock.now()))
    for line in text.split("\n"):
        say(line)
    return DONE if report.outcome == Outcome.PASS else FAILED


def _withdraw(arguments: argparse.Namespace) -> int:
    service, packet = service_and_packet(arguments)
    say(f"{service.packets.withdraw(packet.workspace_id, packet.packet_id).state}")
    return DONE


def _issue(arguments: argparse.Namespace) -> int:
    service, packet = service_and_packet(arguments)
    nonce = read_file(arguments.nonce, _MAX_NONCE)
    request = packet.packet_id.encode() + nonce
    # The same packet and nonce are the same request: typed again after a PASS whose answer was lost, it
    # replays the answer and takes no credit. A FAIL ends an attempt: what follows is another request. It took
    # no credit, so evaluating once more costs nothing, while its answer would be out of date for ever.
    fails = sum(attempt.outcome == Outcome.FAIL for attempt in packet.attempts)
    key = arguments.key or f"issue {sha256(request).hex()} {fails}"
    claim = service.packets.claim(packet.workspace_id, key, request)
    answer = claim if isinstance(claim, Answer) else service.issuer.issue(packet, nonce, claim)
    packet = service.packets.get(packet.workspace_id, packet.packet_id)
    if packet.issued is None:
        say("FAIL: no credit was taken. `issuer packet check` says what is missing.")
        return FAILED
    say(f"PASS       {packet.issued.kit_id}, answer {answer.status}")
    say(f"leaf       {format_hash(packet.issued.leaf_hash)}")
    say(f"merge by   {format_time(packet.issued.merge_by)}")
    say(f"balance    {service.ledger.balance(packet.workspace_id)} credits")
    say(f"next       `issuer packet kit {packet.packet_id} -o kit.zip`, once a checkpoint has the leaf")
    return DONE


def _list(arguments: argparse.Namespace) -> int:
    service = service_of(arguments)
    if arguments.workspace is not None:
        workspaces: tuple[Workspace, ...] = (service.workspaces.get(arguments.workspace),)
    else:
        workspaces = service.ledger.workspaces()
    for workspace in workspaces:
        for packet in packets_of(service.ledger, workspace.workspace_id):
            place = f"{packet.lane_id}/{packet.profile_id}"
            kit = packet.issued.kit_id if packet.issued else "-"
            state, reference = packet.state, shown(packet.reference)
            say(f"{packet.packet_id}  {workspace.workspace_id}  {state:9}  {place}  {kit}  {reference}")
    return DONE


def _show(arguments: argparse.Namespace) -> int:
    _, packet = service_and_packet(arguments)
    say(f"packet     {packet.packet_id}  {packet.state}  {packet.lane_id}/{packet.profile_id}")
    if packet.withdrawal:
        say(f"withdrawn  {format_time(packet.withdrawal.at)}, reason {packet.withdrawal.reason}")
    if packet.deleted_at is not None:
        say(f"deleted    {format_time(packet.deleted_at)}: the kit and all data of its records")
    for record in packet.records:
        say(
            f"record     {record.record_id}  {record.record_type:28} {record.size:10} bytes  "
            f"{shown(record.name)}"
        )
    for attempt in packet.attempts:
        result = f"{attempt.outcome}, {attempt.blockers} blockers"
        say(f"attempt    {attempt.number}  {format_time(attempt.at)}  {result}")
    if packet.issued:
        say(f"kit        {packet.issued.kit_id}  leaf {format_hash(packet.issued.leaf_hash)}")
    return DONE


def _kit(arguments: argparse.Namespace) -> int:
    check_new_file(arguments.output)
    service, packet = service_and_packet(arguments)
    if packet.issued is None or packet.delivered_at is None:
        raise ServiceError(
            Code.NOT_READY, f"the packet is {packet.state}; its kit is finished once it is issued"
        )
    if not service.private.fetch(delivered_object(packet.issued.kit_id), arguments.output):
        raise ServiceError(Code.STORAGE_FAILED, f"the kit {packet.issued.kit_id} is missing")
    say(f"{arguments.output}")
    return DONE
