"""C2SP signed notes, verifier keys, Ed25519 signatures and cosignatures; C2SP witness policies.

Types 0x01 (Ed25519) and 0x04 (timestamped Ed25519 cosignature) are checked; other lines are carried.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from attestlayer.encoding import format_base64, parse_base64, parse_decimal, sha256, shown
from attestlayer.errors import Reason, malformed
from attestlayer.keys import KEY_LENGTH, SIGNATURE_LENGTH, PublicKey

ED25519 = 0x01
COSIGNATURE = 0x04

MAX_NOTE = 1024 * 1024
MAX_SIGNATURES = 32
"""Signature lines of one note, as REG-1.0 bounds them (C2SP asks for at least 16)."""

NO_QUORUM = "none"
MAX_POLICY = 64 * 1024
MAX_LINES = 256
"""Names of one policy; C2SP asks for at least 32 of each kind."""

_KEY_ID_LENGTH = 4
_TIME_LENGTH = 8
_MAX_TIME = 2**63 - 1  # C2SP tlog-cosignature
_SIGNATURE_START = "— "
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\ud800-\udfff]")  # and lone surrogates, which no UTF-8 holds
# Written out, so that it does not change with the version of Unicode: no White_Space, plus sign, control.
_NAME = re.compile(r"[^\x00-\x20+\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ud800-\udfff]+")


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: the key's name and id, and the signature's bytes after the id."""

    name: str
    key_id: bytes
    data: bytes

    def format(self) -> str:
        """The line, with its newline."""
        return f"{_SIGNATURE_START}{self.name} {format_base64(self.key_id + self.data)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text with signatures over it. `text` ends in a newline."""

    text: str
    signatures: tuple[Signature, ...]

    def format(self) -> str:
        """The note as it is stored and sent."""
        return f"{self.text}\n{''.join(signature.format() for signature in self.signatures)}"


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A named public key for one type of signature."""

    name: str
    type: int
    public: PublicKey

    @property
    def key_id(self) -> bytes:
        """SHA-256(name ‖ 0x0A ‖ type ‖ key) cut to 4 bytes."""
        material = self.name.encode() + b"\n" + bytes([self.type]) + self.public.data
        return sha256(material)[:_KEY_ID_LENGTH]

    def format(self) -> str:
        """The vkey text: name, key id in hexadecimal, type and key in base64."""
        return f"{self.name}+{self.key_id.hex()}+{format_base64(bytes([self.type]) + self.public.data)}"


def parse_verifier_key(text: str) -> VerifierKey:
    """A vkey of type 0x01 or 0x04. Raises `ValueError`."""
    parts = text.split("+", 2)  # base64 may hold a plus sign itself
    if len(parts) != 3:
        raise ValueError(f"{shown(text)} is not a verifier key: name+id+key")
    data = parse_base64(parts[2])
    if data[0] not in {ED25519, COSIGNATURE} or len(data) != 1 + KEY_LENGTH:
        raise ValueError(f"verifier key {shown(parts[0])} is not an Ed25519 key of type 1 or 4")
    key = VerifierKey(_parse_name(parts[0]), data[0], PublicKey(data[1:]))
    # Name and key give the id, so that formatting again is the check of all three parts.
    if key.format() != text:
        raise ValueError(
            f"verifier key {shown(parts[0])}: key id {shown(parts[1])}, wanted {key.key_id.hex()}"
        )
    return key


def parse_note(data: str) -> Note:
    """A signed note with 1 … 32 signature lines. Raises `FormatError` (note-malformed)."""
    with malformed(Reason.NOTE_MALFORMED, "signed note"):
        return _parse_note(data)


def signatures_by(note: Note, key: VerifierKey) -> list[Signature]:
    """The lines that claim to be by `key`: same name and key id."""
    return [line for line in note.signatures if (line.name, line.key_id) == (key.name, key.key_id)]


def signature_verifies(text: str, line: Signature, key: VerifierKey) -> bool:
    """Whether `line` is a valid signature of type 0x01 or cosignature of type 0x04 by `key`."""
    # Type 0x01 signs the text itself, type 0x04 the text after a header with the time (C2SP
    # tlog-cosignature).
    if key.type == ED25519:
        return len(line.data) == SIGNATURE_LENGTH and key.public.verifies(line.data, text.encode())
    time = cosignature_time(line)
    return time is not None and key.public.verifies(line.data[_TIME_LENGTH:], _cosigned(text, time))


def cosignature_time(line: Signature) -> int | None:
    """The POSIX seconds that a cosignature line states, or None if it is not shaped like one."""
    if len(line.data) != _TIME_LENGTH + SIGNATURE_LENGTH:
        return None
    time = int.from_bytes(line.data[:_TIME_LENGTH], "big")
    return time if time <= _MAX_TIME else None


def append_signatures(note: Note, lines: Iterable[Signature]) -> Note:
    """The note with more signature lines."""
    return Note(note.text, (*note.signatures, *lines))


def _parse_note(data: str) -> Note:
    if len(data) > MAX_NOTE:
        raise ValueError(f"{len(data)} characters, at most {MAX_NOTE} are allowed")
    if control := _CONTROL.search(data):
        raise ValueError(f"control character {shown(control.group())} at {control.start()}")
    # C2SP signed-note: the text ends at the last blank line; a text may have blank lines of its own.
    text, blank, block = data.rpartition("\n\n")
    if not blank or not block.endswith("\n"):
        raise ValueError("no signature lines behind a blank line")
    lines = block[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise ValueError(f"{len(lines)} signature lines, at most {MAX_SIGNATURES} are allowed")
    return Note(text + "\n", tuple(_parse_signature(line) for line in lines))


def _parse_signature(line: str) -> Signature:
    parts = line[len(_SIGNATURE_START) :].split(" ")
    if not line.startswith(_SIGNATURE_START) or len(parts) != 2:
        raise ValueError(f"{shown(line)} is not a signature line")
    data = parse_base64(parts[1])
    if len(data) <= _KEY_ID_LENGTH:
        raise ValueError(f"signature by {shown(parts[0])} is too short")
    return Signature(_parse_name(parts[0]), data[:_KEY_ID_LENGTH], data[_KEY_ID_LENGTH:])


def _parse_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{shown(name)} is not a key name: no spaces, no plus sign, no control characters")
    return name


def _cosigned(text: str, time: int) -> bytes:
    """The message of a cosignature/v1 (C2SP tlog-cosignature)."""
    return f"cosignature/v1\ntime {time}\n{text}".encode()


@dataclass(frozen=True, slots=True)
class Group:
    """`threshold` of `members` (names of witnesses or of groups defined before) must have cosigned."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WitnessPolicy:
    """A parsed policy. `quorum` is the name of a witness or group, or `none`."""

    witnesses: dict[str, VerifierKey]
    groups: tuple[Group, ...]
    quorum: str
    urls: dict[str, str]

    def is_met(self, cosigners: Collection[str]) -> bool:
        """Whether the witnesses named in `cosigners` make the quorum."""
        if self.quorum == NO_QUORUM:
            return True
        met = set(cosigners) & self.witnesses.keys()
        for group in self.groups:
            if sum(member in met for member in group.members) >= group.threshold:
                met.add(group.name)
        return self.quorum in met


NO_WITNESSES = WitnessPolicy({}, (), NO_QUORUM, {})


def parse_policy(text: str) -> WitnessPolicy:
    """A policy without `log` lines, as notices carry it. Raises `ValueError`."""
    if len(text) > MAX_POLICY or not text.endswith("\n"):
        raise ValueError(f"a policy is lines, {MAX_POLICY} characters at most, the last one ended")
    parser = _Parser()
    for line in text[:-1].split("\n"):
        words = re.split(r"[ \t]+", line.strip(" \t"))
        if words != [""] and not line.startswith("#"):
            parser.read(words)
    return parser.finish()


class _Parser:
    def __init__(self) -> None:
        self.witnesses: dict[str, VerifierKey] = {}
        self.groups: list[Group] = []
        self.urls: dict[str, str] = {}
        self.quorum: str | None = None
        self.grouped: set[str] = set()

    def read(self, words: list[str]) -> None:
        keyword, arguments = words[0], words[1:]
        if keyword == "witness" and len(arguments) in {2, 3}:
            self._witness(*arguments)
        elif keyword == "group" and len(arguments) >= 3:
            self._group(arguments[0], arguments[1], arguments[2:])
        elif keyword == "quorum" and len(arguments) == 1 and self.quorum is None:
            self.quorum = arguments[0] if arguments[0] == NO_QUORUM else self._known(arguments[0])
        else:
            raise ValueError(f"{shown(' '.join(words))} is not a line of a witness policy")

    def finish(self) -> WitnessPolicy:
        if self.quorum is None:
            raise ValueError("the policy has no quorum line")
        return WitnessPolicy(self.witnesses, tuple(self.groups), self.quorum, self.urls)

    def _witness(self, name: str, vkey: str, url: str | None = None) -> None:
        key = parse_verifier_key(vkey)
        if key.type != COSIGNATURE:
            raise ValueError(f"witness {shown(name)}: key type {key.type}, wanted {COSIGNATURE}")
        if any(other.public == key.public for other in self.witnesses.values()):
            raise ValueError(f"witness {shown(name)}: its key occurs twice")
        self.witnesses[self._new(name)] = key
        if url is not None:
            self.urls[name] = url

    def _group(self, name: str, threshold: str, members: list[str]) -> None:
        count = {"all": len(members), "any": 1}.get(threshold) or parse_decimal(threshold, len(members))
        if count == 0:
            raise ValueError(f"group {shown(name)}: threshold 0, wanted 1 to {len(members)}")
        for member in members:
            if self._known(member) in self.grouped:
                raise ValueError(f"{shown(member)} is a member twice")
            self.grouped.add(member)
        self.groups.append(Group(self._new(name), count, tuple(members)))

    def _new(self, name: str) -> str:
        if name == NO_QUORUM or self._is_known(name) or len(self.witnesses) + len(self.groups) >= MAX_LINES:
            raise ValueError(f"name {shown(name)} is taken, reserved, or one too many")
        return name

    def _known(self, name: str) -> str:
        if not self._is_known(name):
            raise ValueError(f"name {shown(name)} is not defined before its use")
        return name

    def _is_known(self, name: str) -> bool:
        return name in self.witnesses or any(group.name == name for group in self.groups)
