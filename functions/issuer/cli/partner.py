"""`issuer qualify`, `issuer workspace` and `issuer kit`: what the operator does for partners."""

import argparse
import getpass

from attestlayer.encoding import format_time
from attestlayer.log.notices import WithdrawalReason
from issuer.cli.home import DONE, Commands, add_command, add_group, service_of
from issuer.kits.terms import TIERS
from issuer.model import Contact

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
    withdraw.add_argument("--reason", required=True, choices=list(WithdrawalReason))
    supersede.add_argument("--by", required=True, metavar="KIT", help="the kit that takes its place")


def _add_qualify(group: Commands) -> None:
    receive = add_command(group, "receive", _receive, "note a partner's request")
    receive.add_argument("--tier", required=True, choices=_TIERS)
    receive.add_argument("--contact", required=True, type=_contact, metavar="NAME,EMAIL,ROLE")
    receive.add_argument("--workflow", required=True, help="the partner's workflow, in words")
    add_command(group, "list", _list_qualifications, "all requests, oldest first")
    for name, text in (("accept", "accept a request"), ("decline", "decline a request")):
        decide = add_command(group, name, _decide, text)
        decide.set_defaults(accepted=name == "accept")
        decide.add_argument("qualification")
        decide.add_argument("--scope", required=True, help="what the partner will use it for")
        decide.add_argument("--boundaries", required=True, help="what it will not be used for")
        decide.add_argument("--by", default=None, help="who decides (your user name)")


def _add_workspace(group: Commands) -> None:
    provision = add_command(
        group, "provision", _provision, "a new workspace with credits and a first API key"
    )
    provision.add_argument("name")
    provision.add_argument("--tier", required=True, choices=_TIERS)
    provision.add_argument("--credits", type=int, default=None, help="in place of the tier's number")
    provision.add_argument("--contact", type=_contact, action="append", default=[], metavar="NAME,EMAIL,ROLE")
    grant = add_command(group, "grant", _grant, "more credits")
    grant.add_argument("workspace")
    grant.add_argument("credits", type=int)
    grant.add_argument("--reference", required=True, help="what they are for, such as an invoice")
    show = add_command(group, "show", _show, "tier, balance, contacts, ledger and packets")
    show.add_argument("workspace")
    add_command(group, "list", _list_workspaces, "all workspaces")
    key = add_command(group, "key", _make_key, "make another API key; it is shown once")
    key.add_argument("workspace")
    key.add_argument("--label", required=True)


def _contact(text: str) -> Contact:
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 3 or not all(parts) or "@" not in parts[1]:
        raise argparse.ArgumentTypeError(f"found {text!a}, wanted NAME,EMAIL,ROLE")
    return Contact(*parts)


def _receive(arguments: argparse.Namespace) -> int:
    service = service_of(arguments)
    qualification = service.qualifications.receive(arguments.tier, arguments.contact, arguments.workflow)
    print(qualification.qualification_id)
    return DONE


def _list_qualifications(arguments: argparse.Namespace) -> int:
    for request in service_of(arguments).ledger.qualifications():
        received = format_time(request.received_at)
        state, tier, email = request.state, request.tier, request.contact.email
        print(f"{request.qualification_id}  {received}  {state:9}  {tier:9}  {email}")
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
    print(f"{qualification.qualification_id} {qualification.state} by {by}")
    return DONE


def _provision(arguments: argparse.Namespace) -> int:
    workspaces = service_of(arguments).workspaces
    workspace = workspaces.provision(arguments.name, arguments.tier, arguments.contact, arguments.credits)
    # Only its hash is stored, so this line of output is the only place where the key ever is.
    key = workspaces.make_key(workspace.workspace_id, "first key")
    print(f"workspace  {workspace.workspace_id}")
    balance = workspaces.ledger.balance(workspace.workspace_id)
    print(f"balance    {balance} credits until {format_time(workspace.term_ends_at)}")
    print(f"API key    {key}")
    print("           (shown once: only its hash is stored)")
    return DONE


def _grant(arguments: argparse.Namespace) -> int:
    workspaces = service_of(arguments).workspaces
    workspaces.grant(arguments.workspace, arguments.credits, arguments.reference)
    print(f"balance    {workspaces.ledger.balance(arguments.workspace)} credits")
    return DONE


def _show(arguments: argparse.Namespace) -> int:
    service = service_of(arguments)
    workspace = service.workspaces.get(arguments.workspace)
    print(f"workspace  {workspace.workspace_id}  {workspace.name!a}")
    print(f"tier       {workspace.tier}, term ends {format_time(workspace.term_ends_at)}")
    print(f"balance    {service.ledger.balance(workspace.workspace_id)} credits")
    for contact in workspace.contacts:
        # !a: a partner's words must not move the operator's cursor.
        print(f"contact    {contact.name!a} {contact.email!a} {contact.role!a}")
    for entry in service.ledger.credit_entries(workspace.workspace_id, None, 1000):
        print(f"credits    {format_time(entry.at)}  {entry.kind:9} {entry.amount:4}  {entry.reference!a}")
    for packet in service.ledger.packets(workspace.workspace_id, None, 1000):
        kit = packet.issued.kit_id if packet.issued else ""
        print(f"packet     {packet.packet_id}  {packet.state:9} {packet.lane_id}/{packet.profile_id}  {kit}")
    return DONE


def _list_workspaces(arguments: argparse.Namespace) -> int:
    service = service_of(arguments)
    for workspace in service.ledger.workspaces():
        balance = service.ledger.balance(workspace.workspace_id)
        print(f"{workspace.workspace_id}  {workspace.tier:9}  {balance:4}  {workspace.name!a}")
    return DONE


def _make_key(arguments: argparse.Namespace) -> int:
    print(service_of(arguments).workspaces.make_key(arguments.workspace, arguments.label))
    return DONE


def _supersede(arguments: argparse.Namespace) -> int:
    service_of(arguments).notifier.supersede(arguments.workspace, arguments.kit_id, arguments.by)
    print(f"{arguments.kit_id} is superseded by {arguments.by}, by a notice with the next checkpoint")
    return DONE


def _withdraw(arguments: argparse.Namespace) -> int:
    service_of(arguments).notifier.withdraw(arguments.workspace, arguments.kit_id, arguments.reason)
    print(f"{arguments.kit_id} is withdrawn by a notice with the next checkpoint")
    return DONE
