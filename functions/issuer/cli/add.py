"""`issuer packet add`: a file, or a folder of them. Run again, it goes on where it stopped."""

import argparse
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from attestlayer.encoding import sha256, shown
from issuer.bootstrap.service import Service
from issuer.cli import terminal
from issuer.cli.home import DONE, ERROR, Commands, add_command, read_file, service_and_packet
from issuer.cli.terminal import CommandError, complain, say
from issuer.errors import Code, ServiceError
from issuer.intake.media import is_left_by_system
from issuer.intake.policy import MAX_TOTAL_SIZE
from issuer.intake.sidecar import MAX_LENGTH as MAX_SIDECAR
from issuer.intake.sidecar import SIDECAR, SidecarRecord, assign_by_folder, check_files, read_sidecar
from issuer.intake.values import show
from issuer.kits.names import record_object
from issuer.model import OPEN_STATES, Packet, Record

_OF_ONE_FILE = frozenset({Code.RECORD_REFUSED, Code.TOO_LARGE, Code.INVALID_REQUEST})
"""What is wrong with one file and says nothing about the next."""
_THERE = "there already  "


def add_commands(commands: Commands) -> None:
    """Add the command to the group `issuer packet`."""
    text = f"add a file, or a folder with a {SIDECAR} or a sub-folder per type; again: go on"
    add = add_command(commands, "add", _add, text)
    add.add_argument("packet")
    add.add_argument("path", type=terminal.path)
    add.add_argument(
        "--type",
        type=terminal.text(terminal.NAME_MAX),
        default=None,
        metavar="TYPE",
        help="record type, for a single file",
    )
    add.add_argument(
        "--meta", type=_pair, action="append", default=[], metavar="NAME=VALUE", help="for a single file"
    )


@dataclass
class _Folder:
    """What was found below a folder: relative paths, and what is wrong with some (path, what)."""

    files: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    wrong: list[tuple[str, str]] = field(default_factory=list)


def _add(arguments: argparse.Namespace) -> int:
    service, packet = service_and_packet(arguments)
    root: Path = arguments.path
    if not root.exists():
        raise CommandError(f"{root}: there is no such file or folder")
    if root.is_dir():
        if arguments.type is not None or arguments.meta:
            raise CommandError(f"{root} is a folder: --type and --meta are for a single file")
        return _add_folder(service, packet, root)
    if arguments.type is None:
        types = ", ".join(each.type_id for each in service.packets.policy_of(packet).record_types)
        raise CommandError(f"{root}: a single file needs --type, one of {types}")
    stated = SidecarRecord(root.name, arguments.type, dict(arguments.meta))
    say(_add_file(service, packet, root, stated))
    return DONE


def _add_folder(service: Service, packet: Packet, root: Path) -> int:
    """Add what can be added; say what was there already, passed over, or can't be added."""
    folder, added, there = _list(root), 0, 0
    for file in folder.left:
        say(f"passed over  {show(file)}: a file of the system, no record")
    files = [*_to_add(service, packet, root, folder)]
    places = Counter(_place(record) for _, record in files)
    for path, record in files:
        line = _try_to_add(service, packet, path, record, folder, alone=places[_place(record)] == 1)
        if line is None:
            continue
        say(line)
        if line.startswith(_THERE):
            there += 1
        else:
            added += 1
    for file, what in folder.wrong:
        complain(f"issuer: not added: {show(file)}: {what}")
    say(
        f"{added} added, {there} there already, {len(folder.left)} passed over, {len(folder.wrong)} not added"
    )
    if folder.wrong:
        complain("issuer: put these right and run the same again: it goes on")
    return ERROR if folder.wrong else DONE


def _try_to_add(
    service: Service, packet: Packet, path: Path, stated: SidecarRecord, folder: _Folder, *, alone: bool
) -> str | None:
    """As `_add_file`; what is wrong with this one file is noted, and None returned."""
    try:
        return _add_file(service, packet, path, stated, alone=alone)
    except CommandError as error:
        folder.wrong.append((stated.file, str(error)))
    except ServiceError as error:
        if error.code not in _OF_ONE_FILE:
            raise
        folder.wrong.append((stated.file, error.detail))
    return None


def _list(root: Path) -> _Folder:
    """All that is below a folder. Nothing is left out in silence."""
    folder = _Folder()

    def unreadable(error: OSError) -> None:
        folder.wrong.append((os.path.relpath(error.filename, root), f"{error.strerror}"))

    for place, folders, names in os.walk(root, onerror=unreadable):
        for name in folders:
            if Path(place, name).is_symlink():
                folder.wrong.append((_below(root, place, name), "it is a link to a folder: copy the folder"))
        for name in names:
            file = _below(root, place, name)
            (folder.left if is_left_by_system(file) else folder.files).append(file)
    folder.files.sort()
    folder.left.sort()
    return folder


def _below(root: Path, place: str, name: str) -> str:
    return Path(place, name).relative_to(root).as_posix()


def _to_add(
    service: Service, packet: Packet, root: Path, folder: _Folder
) -> Iterator[tuple[Path, SidecarRecord]]:
    """Each file with what it is. A file that says nothing of its type is noted as wrong."""
    if SIDECAR in folder.files:
        today = datetime.fromtimestamp(service.clock.now(), UTC).date()
        sidecar = read_sidecar(read_file(root / SIDECAR, MAX_SIDECAR), today)
        paths = check_files(sidecar, folder.files)
        yield from ((root / paths[record.file], record) for record in sidecar.records)
        return
    policy = service.packets.policy_of(packet)
    for file in folder.files:
        try:
            (record,) = assign_by_folder(policy, [file])
        except ServiceError as error:
            folder.wrong.append((file, error.detail))
            continue
        yield root / file, record


def _place(stated: SidecarRecord) -> tuple[str, str]:
    return Path(stated.file).name, stated.record_type


def _add_file(
    service: Service, packet: Packet, path: Path, stated: SidecarRecord, *, alone: bool = False
) -> str:
    """Add a file unless it is there already; a line says which. Raises `CommandError`, `ServiceError`.

    `alone`: no other file has this name and type, so that a record which has them is an older state of it.
    """
    name, record_type = _place(stated)
    _check_name(name)
    data = read_file(path, MAX_TOTAL_SIZE)  # in memory: it is hashed, announced and stored
    packet = service.packets.get(packet.workspace_id, packet.packet_id)
    there = _already(packet, stated, sha256(data), alone=alone) if packet.state in OPEN_STATES else None
    if there and service.private.exists(record_object(packet.packet_id, there)):
        return f"{_THERE}{there.record_id}  {show(name)}"
    record = service.packets.add_record(
        packet,
        name=name,
        record_type=record_type,
        size=len(data),
        sha256=sha256(data),
        metadata=stated.metadata,
    )
    # Announced first, as over the API: a file that never comes is a record without bytes, not a stray.
    service.private.create(record_object(packet.packet_id, record), data)
    return f"{record.record_id}  {record_type:28} {len(data):10} bytes  {show(name)}"


def _already(packet: Packet, stated: SidecarRecord, digest: bytes, *, alone: bool) -> Record | None:
    """The packet's record that is this file, or None. Raises `ServiceError` if one is, but for something."""
    for record in packet.records:
        if record.sha256 == digest:
            differences = "; ".join(_differences(record, stated))
            if not differences:
                return record
            raise _refused(
                packet, record, f"the packet has the same bytes as {record.record_id}, {differences}"
            )
    for record in packet.records:
        if alone and (record.name, record.record_type) == _place(stated):
            raise _refused(packet, record, f"the packet has it as {record.record_id}, with other bytes")
    return None


def _refused(packet: Packet, record: Record, what: str) -> ServiceError:
    remove = f"`issuer packet remove {packet.packet_id} {record.record_id}`"
    return ServiceError(Code.RECORD_REFUSED, f"{what}. To replace that record: {remove}, then add again")


def _differences(record: Record, stated: SidecarRecord) -> Iterator[str]:
    """What the packet's record says otherwise than is stated now."""
    name, record_type = _place(stated)
    if record.name != name:
        yield f"with the name {show(record.name)}"
    if record.record_type != record_type:
        yield f"with the type {show(record.record_type)}"
    for key in sorted(record.metadata.keys() | stated.metadata.keys()):
        value = record.metadata.get(key)
        if value != stated.metadata.get(key):
            yield f"with {key} {show(value)}" if value is not None else f"without {key}"


def _check_name(name: str) -> None:
    try:
        terminal.check_encoding(name)
    except argparse.ArgumentTypeError as error:
        raise CommandError(f"a file's name: {error}; rename the file") from error


def _pair(argument: str) -> tuple[str, str]:
    terminal.check_encoding(argument)
    name, equals, value = argument.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"found {shown(argument)}, wanted NAME=VALUE")
    return name, value
