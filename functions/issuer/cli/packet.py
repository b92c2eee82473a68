"""`issuer packet`: by hand what partners do over the API."""

import argparse
from pathlib import Path

from attestlayer.canonical import format_json
from attestlayer.encoding import format_hash, format_time, sha256
from issuer.cli import add
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
from issuer.errors import Code, ServiceError
from issuer.intake.blocker_report import format_blocker_text
from issuer.intake.evaluate import Outcome
from issuer.kits.names import delivered_object
from issuer.model import Answer, Claim

_MAX_NONCE = 1024  # bytes; a nonce file has some hundred


def add_commands(commands: Commands) -> None:
    """Add the group `issuer packet` to the parser."""
    group = add_group(commands, "packet", "packets: open, add records, check, issue")
    open_ = add_command(group, "open", _open, "open a packet for a lane and profile")
    open_.add_argument("workspace")
    open_.add_argument("lane")
    open_.add_argument("profile")
    open_.add_argument("--reference", default="", help="your own reference, never public")
    open_.add_argument("--supersedes", default=None, metavar="KIT", help="the kit that this one replaces")
    add.add_commands(group)
    remove = add_command(group, "remove", _remove, "take a record out")
    remove.add_argument("packet")
    remove.add_argument("record")
    for name, run, text in (
        ("show", _show, "state, records, attempts, kit"),
        ("check", _check, "hold the records against the policy; free"),
        ("withdraw", _withdraw, "give the packet up"),
    ):
        add_command(group, name, run, text).add_argument("packet")
    issue = add_command(group, "issue", _issue, "issue: PASS takes one credit, FAIL none")
    issue.add_argument("packet")
    issue.add_argument(
        "--nonce", type=Path, required=True, help="the client's nonce file (attestlayer nonce)"
    )
    issue.add_argument("--key", default=None, help="idempotency key (the packet's and the nonce's)")
    kit = add_command(group, "kit", _kit, "write the finished kit to a file")
    kit.add_argument("packet")
    kit.add_argument("-o", "--output", type=Path, required=True)


def _open(arguments: argparse.Namespace) -> int:
    service = service_of(arguments)
    service.workspaces.get(arguments.workspace)
    packet = service.packets.open(
        arguments.workspace,
        arguments.lane,
        arguments.profile,
        arguments.reference,
        supersedes=arguments.supersedes,
    )
    # A packet is stored together with an answer that is bound to a key, here one that nobody sends.
    claim = service.packets.claim(arguments.workspace, f"open {packet.packet_id}", packet.packet_id.encode())
    if isinstance(claim, Claim):
        body = format_json({"packet_id": packet.packet_id})
        service.packets.store(packet, claim, Answer(201, body))
    print(packet.packet_id)
    for record_type in service.packets.policy_of(packet).record_types:
        most = f"{record_type.min_count} to {record_type.max_count}"
        print(f"  {record_type.type_id:28} {most:10} {record_type.title}")
    return DONE


def _remove(arguments: argparse.Namespace) -> int:
    service, packet = service_and_packet(arguments)
    service.packets.remove_record(packet.workspace_id, packet.packet_id, arguments.record)
    return DONE


def _check(arguments: argparse.Namespace) -> int:
    service, packet = service_and_packet(arguments)
    packet, report = service.packets.check(packet.workspace_id, packet.packet_id)
    print(format_blocker_text(report, service.packets.policy_of(packet), int(service.clock.now())))
    return DONE if report.outcome == Outcome.PASS else FAILED


def _withdraw(arguments: argparse.Namespace) -> int:
    service, packet = service_and_packet(arguments)
    print(f"{service.packets.withdraw(packet.workspace_id, packet.packet_id).state}")
    return DONE


def _issue(arguments: argparse.Namespace) -> int:
    service, packet = service_and_packet(arguments)
    nonce = read_file(arguments.nonce, _MAX_NONCE)
    request = packet.packet_id.encode() + nonce
    # The same packet and nonce are the same request: typed again, it replays the answer and takes no credit.
    key = arguments.key or f"issue {sha256(request).hex()}"
    claim = service.packets.claim(packet.workspace_id, key, request)
    answer = claim if isinstance(claim, Answer) else service.issuer.issue(packet, nonce, claim)
    packet = service.packets.get(packet.workspace_id, packet.packet_id)
    if packet.issued is None:
        print("FAIL: no credit was taken. `issuer packet check` says what is missing.")
        return FAILED
    print(f"PASS       {packet.issued.kit_id}, answer {answer.status}")
    print(f"leaf       {format_hash(packet.issued.leaf_hash)}")
    print(f"merge by   {format_time(packet.issued.merge_by)}")
    print(f"balance    {service.ledger.balance(packet.workspace_id)} credits")
    print(f"next       `issuer packet kit {packet.packet_id} -o kit.zip`, once a checkpoint has the leaf")
    return DONE


def _show(arguments: argparse.Namespace) -> int:
    _, packet = service_and_packet(arguments)
    print(f"packet     {packet.packet_id}  {packet.state}  {packet.lane_id}/{packet.profile_id}")
    for record in packet.records:
        print(
            f"record     {record.record_id}  {record.record_type:28} {record.size:10} bytes  {record.name!a}"
        )
    for attempt in packet.attempts:
        result = f"{attempt.outcome}, {attempt.blockers} blockers"
        print(f"attempt    {attempt.number}  {format_time(attempt.at)}  {result}")
    if packet.issued:
        print(f"kit        {packet.issued.kit_id}  leaf {format_hash(packet.issued.leaf_hash)}")
    return DONE


def _kit(arguments: argparse.Namespace) -> int:
    service, packet = service_and_packet(arguments)
    if packet.issued is None or packet.delivered_at is None:
        raise ServiceError(
            Code.NOT_READY, f"the packet is {packet.state}; its kit is finished once it is issued"
        )
    if not service.private.fetch(delivered_object(packet.issued.kit_id), arguments.output):
        raise ServiceError(Code.STORAGE_FAILED, f"the kit {packet.issued.kit_id} is missing")
    print(arguments.output)
    return DONE
