"""`issuer qualify`, `issuer workspace` and `issuer kit`: what the operator does for partners."""

import argparse
import getpass

from attestlayer.encoding import format_time, shown
from attestlayer.log.notices import WithdrawalReason
from issuer.cli.home import DONE, Commands, add_command, add_group, service_of
from issuer.cli.terminal import NAME_MAX, check_encoding, number, say, text
from issuer.kits.terms import TIERS
from issuer.ledger.whole import all_lines, packets_of
from issuer.model import Contact
from issuer.services.workspace import MAX_GRANT

_TIERS = [tier.name for tier in TIERS]


def add_commands(commands: Commands) -> None:
    """Add the groups `issuer qualify`, `issuer workspace` and `issuer kit` to the parser."""
    _add_qualify(add_group(commands, "qualify", "requests of partners to take part"))
    _add_workspace(add_group(commands, "workspace", "partners' workspaces, credits and API keys"))
    _add_kit(add_group(commands, "kit", "issued kits"))


def _add_kit(group: Commands) -> None:
    withdraw = add_command(group, "withdraw", _withdraw, "withdraw a kit, by a public notice")
    supersede = add_command(group, "supersede", _supersede, "say by a public notice that a kit is superseded")
    for command in (withdraw, supersede):
        command.add_argument("workspace")
        command.add_argument("kit_id")
    withdraw.add_argument("--reason", required=True, choices=[reason.value for reason in WithdrawalReason])
    supersede.add_argument("--by", required=True, metavar="KIT", help="the kit that takes its place")


def _add_qualify(group: Commands) -> None:
    receive = add_command(group, "receive", _receive, "note a partner's request")
    receive.add_argument("--tier", required=True, choices=_TIERS)
    receive.add_argument("--contact", required=True, type=_contact, metavar="NAME,EMAIL,ROLE")
    receive.add_argument("--workflow", required=True, type=text(), help="the partner's workflow, in words")
    add_command(group, "list", _list_qualifications, "all requests, oldest first", reads=True)
    for name, meaning in (("accept", "accept a request"), ("decline", "decline a request")):
        decide = add_command(group, name, _decide, meaning)
        decide.set_defaults(accepted=name == "accept")
        decide.add_argument("qualification")
        decide.add_argument("--scope", required=True, type=text(), help="what the partner will use it for")
        decide.add_argument("--boundaries", required=True, type=text(), help="what it will not be used for")
        decide.add_argument("--by", type=text(NAME_MAX), default=None, help="who decides (your user name)")


def _add_workspace(group: Commands) -> None:
    provision = add_command(
        group, "provision", _provision, "a new workspace with credits and a first API key"
    )
    provision.add_argument("name", type=text(NAME_MAX))
    provision.add_argument("--tier", required=True, choices=_TIERS)
    provision.add_argument(
        "--credits", type=number(0, MAX_GRANT), default=None, help="in place of the tier's number"
    )
    provision.add_argument("--contact", type=_contact, action="append", default=[], metavar="NAME,EMAIL,ROLE")
    grant = add_command(group, "grant", _grant, "more credits")
    grant.add_argument("workspace")
    grant.add_argument("credits", type=number(1, MAX_GRANT))
    grant.add_argument(
        "--reference", required=True, type=text(NAME_MAX), help="what they are for, such as an invoice"
    )
    show = add_command(group, "show", _show, "tier, balance, contacts, ledger and packets", reads=True)
    show.add_argument("workspace")
    add_command(group, "list", _list_workspaces, "all workspaces", reads=True)
    key = add_command(group, "key", _make_key, "make another API key; it is shown once")
    key.add_argument("workspace")
    key.add_argument("--label", required=True, type=text(NAME_MAX))


def _contact(argument: str) -> Contact:
    check_encoding(argument)
    parts = [part.strip() for part in argument.split(",")]
    if len(parts) != 3 or not all(parts) or "@" not in parts[1]:
        raise argparse.ArgumentTypeError(f"found {shown(argument)}, wanted NAME,EMAIL,ROLE")
    return Contact(*parts)


def _receive(arguments: argparse.Namespace) -> int:
    service = service_of(arguments)
    qualification = service.qualifications.receive(arguments.tier, arguments.contact, arguments.workflow)
    say(qualification.qualification_id)
    return DONE


def _list_qualifications(arguments: argparse.Namespace) -> int:
    for request in service_of(arguments).ledger.qualifications():
        received = format_time(request.received_at)
        state, tier, email = request.state, request.tier, shown(request.contact.email)
        say(f"{request.qualification_id}  {received}  {state:9}  {tier:9}  {email}")
    return DONE


def _decide(arguments: argparse.Namespace) -> int:
    by = arguments.by or getpass.getuser()
    qualification = service_of(arguments).qualifications.decide(
        arguments.qualification,
        accepted=arguments.accepted,
        decided_by=by,
        scope=arguments.scope,
        boundaries=arguments.boundaries,
    )
    say(f"{qualification.qualification_id} {qualification.state} by {shown(by)}")
    return DONE


def _provision(arguments: argparse.Namespace) -> int:
    workspaces = service_of(arguments).workspaces
    workspace = workspaces.provision(arguments.name, arguments.tier, arguments.contact, arguments.credits)
    # Only its hash is stored, so this line of output is the only place where the key ever is.
    key = workspaces.make_key(workspace.workspace_id, "first key")
    say(f"workspace  {workspace.workspace_id}")
    balance = workspaces.ledger.balance(workspace.workspace_id)
    say(f"balance    {balance} credits until {format_time(workspace.term_ends_at)}")
    say(f"API key    {key}")
    say("           (shown once: only its hash is stored)")
    return DONE


def _grant(arguments: argparse.Namespace) -> int:
    workspaces = service_of(arguments).workspaces
    workspaces.grant(arguments.workspace, arguments.credits, arguments.reference)
    say(f"balance    {workspaces.ledger.balance(arguments.workspace)} credits")
    return DONE


def _show(arguments: argparse.Namespace) -> int:
    service = service_of(arguments)
    workspace = service.workspaces.get(arguments.workspace)
    say(f"workspace  {workspace.workspace_id}  {shown(workspace.name)}")
    say(f"tier       {workspace.tier}, term ends {format_time(workspace.term_ends_at)}")
    say(f"balance    {service.ledger.balance(workspace.workspace_id)} credits")
    for contact in workspace.contacts:
        # !a: a partner's words must not move the operator's cursor.
        say(f"contact    {shown(contact.name)} {shown(contact.email)} {shown(contact.role)}")
    for entry in all_lines(service.ledger, workspace.workspace_id):
        say(f"credits    {format_time(entry.at)}  {entry.kind:9} {entry.amount:4}  {shown(entry.reference)}")
    for packet in packets_of(service.ledger, workspace.workspace_id):
        kit = packet.issued.kit_id if packet.issued else ""
        say(f"packet     {packet.packet_id}  {packet.state:9} {packet.lane_id}/{packet.profile_id}  {kit}")
    return DONE


def _list_workspaces(arguments: argparse.Namespace) -> int:
    service = service_of(arguments)
    for workspace in service.ledger.workspaces():
        balance = service.ledger.balance(workspace.workspace_id)
        say(f"{workspace.workspace_id}  {workspace.tier:9}  {balance:4}  {shown(workspace.name)}")
    return DONE


def _make_key(arguments: argparse.Namespace) -> int:
    say(service_of(arguments).workspaces.make_key(arguments.workspace, arguments.label))
    return DONE


def _supersede(arguments: argparse.Namespace) -> int:
    service_of(arguments).notifier.supersede(arguments.workspace, arguments.kit_id, arguments.by)
    say(f"{arguments.kit_id} is superseded by {arguments.by}, by a notice with the next checkpoint")
    return DONE


def _withdraw(arguments: argparse.Namespace) -> int:
    service_of(arguments).notifier.withdraw(arguments.workspace, arguments.kit_id, arguments.reason)
    say(f"{arguments.kit_id} is withdrawn by a notice with the next checkpoint")
    return DONE
