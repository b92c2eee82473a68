"""C2SP signed notes, verifier keys, Ed25519 signatures and cosignatures; C2SP witness policies.

Types 0x01 (Ed25519) and 0x04 (timestamped Ed25519 cosignature) are checked; other lines are carried. A policy
may name witnesses with ML-DSA-44 keys (type 0x06), which meet no quorum here.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from attestlayer.encoding import format_base64, parse_base64, parse_decimal, sha256, shown
from attestlayer.errors import Reason, malformed
from attestlayer.keys import KEY_LENGTH, SIGNATURE_LENGTH, PublicKey

ED25519 = 0x01
COSIGNATURE = 0x04
ML_DSA_COSIGNATURE = 0x06
ML_DSA_KEY_LENGTH = 1312
"""Bytes of an ML-DSA-44 public key (FIPS 204, table 2)."""

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
# C2SP signed-note: no Unicode space (White_Space, as Go's unicode.IsSpace has it), no plus sign. Written out,
# so that it does not change with the version of Unicode.
_NAME = re.compile(r"[^\x00-\x20+\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ud800-\udfff]+")
# C2SP tlog-policy, character set: octets 0x09, 0x0A, 0x20-0x7E, 0x80-0xFF.
_NO_POLICY_CHARACTER = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")

_ED25519_LENGTHS = {ED25519: KEY_LENGTH, COSIGNATURE: KEY_LENGTH}
_WITNESS_LENGTHS = {COSIGNATURE: KEY_LENGTH, ML_DSA_COSIGNATURE: ML_DSA_KEY_LENGTH}


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
        return _key_id(self.name, bytes([self.type]) + self.public.data)

    def format(self) -> str:
        """The vkey text: name, key id in hexadecimal, type and key in base64."""
        return f"{self.name}+{self.key_id.hex()}+{format_base64(bytes([self.type]) + self.public.data)}"


def parse_verifier_key(text: str) -> VerifierKey:
    """A vkey of type 0x01 or 0x04. Raises `ValueError`."""
    name, data = _parse_vkey(text, _ED25519_LENGTHS)
    return VerifierKey(name, data[0], PublicKey(data[1:]))


def _parse_vkey(text: str, lengths: Mapping[int, int]) -> tuple[str, bytes]:
    """Key name, and type and key in one; `lengths`: bytes of a key of each type that may be here."""
    parts = text.split("+", 2)  # base64 may hold a plus sign itself
    if len(parts) != 3:
        raise ValueError(f"{shown(text)} is not a verifier key: name+id+key")
    name, data = _parse_name(parts[0]), parse_base64(parts[2])
    if len(data) - 1 != lengths.get(data[0]):
        wanted = ", ".join(f"{length} of type {kind}" for kind, length in lengths.items())
        raise ValueError(
            f"verifier key {shown(name)}: {len(data) - 1} bytes of type {data[0]}, wanted {wanted}"
        )
    wanted_id = _key_id(name, data).hex()
    if parts[1] != wanted_id:
        raise ValueError(f"verifier key {shown(name)}: key id {shown(parts[1])}, wanted {wanted_id}")
    return name, data


def _key_id(name: str, typed_key: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + typed_key)[:_KEY_ID_LENGTH]


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
        raise ValueError(f"{shown(name)} is not a key name: one or more characters, no space, no plus sign")
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
    """A parsed policy. `quorum` is the name of a witness or group, or `none`; `text` is what was parsed.

    `witnesses`: those with keys of type 0x04, which can be checked. `uncounted`: key names of the others.
    """

    witnesses: dict[str, VerifierKey]
    groups: tuple[Group, ...]
    quorum: str
    urls: dict[str, str]
    uncounted: dict[str, str] = field(default_factory=dict)
    text: str = f"quorum {NO_QUORUM}\n"

    @property
    def can_be_met(self) -> bool:
        """Whether cosignatures that are checked here (type 0x04) can make the quorum."""
        return self.is_met(self.witnesses)

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
    if control := _NO_POLICY_CHARACTER.search(text):
        raise ValueError(f"a policy has no control character, found {shown(control.group())}")
    parser = _Parser()
    for line in text[:-1].split("\n"):
        words = [word for word in line.replace("\t", " ").split(" ") if word]
        if words and not words[0].startswith("#"):
            parser.read(words)
    return parser.finish(text)


class _Parser:
    def __init__(self) -> None:
        self.witnesses: dict[str, VerifierKey] = {}
        self.groups: list[Group] = []
        self.urls: dict[str, str] = {}
        self.uncounted: dict[str, str] = {}
        self.keys: set[bytes] = set()
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

    def finish(self, text: str) -> WitnessPolicy:
        if self.quorum is None:
            raise ValueError("the policy has no quorum line")
        groups = tuple(self.groups)
        return WitnessPolicy(self.witnesses, groups, self.quorum, self.urls, self.uncounted, text)

    def _witness(self, name: str, vkey: str, url: str | None = None) -> None:
        key_name, data = _parse_vkey(vkey, _WITNESS_LENGTHS)
        if data[1:] in self.keys:
            raise ValueError(f"witness {shown(name)}: its key occurs twice")
        self.keys.add(data[1:])
        if data[0] == COSIGNATURE:
            key = VerifierKey(key_name, COSIGNATURE, PublicKey(data[1:]))
            self.witnesses[self._new(name)] = key
        else:
            self.uncounted[self._new(name)] = key_name
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
        count = len(self.witnesses) + len(self.uncounted) + len(self.groups)
        if name == NO_QUORUM or self._is_known(name) or count >= MAX_LINES:
            raise ValueError(f"name {shown(name)} is taken, reserved, or one too many")
        return name

    def _known(self, name: str) -> str:
        if not self._is_known(name):
            raise ValueError(f"name {shown(name)} is not defined before its use")
        return name

    def _is_known(self, name: str) -> bool:
        is_witness = name in self.witnesses or name in self.uncounted
        return is_witness or any(group.name == name for group in self.groups)
