"""C2SP tlog-policy: which witnesses must have cosigned a checkpoint (witness quorums)."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from attestlayer.encoding import parse_decimal, shown
from attestlayer.log.note import COSIGNATURE, VerifierKey, parse_verifier_key

NO_QUORUM = "none"
MAX_POLICY = 64 * 1024
MAX_LINES = 256
"""Names of one policy; C2SP asks for at least 32 of each kind."""


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
