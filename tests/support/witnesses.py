"""Witnesses in this process, behind the `Witnesses` port."""

from collections.abc import Callable
from dataclasses import dataclass, field

from attestlayer.log.checkpoint import NoteBody, parse_note_body
from attestlayer.log.merkle import check_consistency
from attestlayer.log.note import COSIGNATURE, Note, Signature, VerifierKey, WitnessPolicy
from issuer.errors import LogHaltedError
from issuer.ports import ConsistencyProver, WitnessAnswers
from support.log import HeldClock, SeedSigner
from support.notes import cosign_note


@dataclass
class Witness:
    """A witness as C2SP tlog-witness has it: it cosigns what extends the tree that it saw last.

    `others`: lines that it answers in addition.
    """

    name: str
    clock: HeldClock
    answers: bool = True
    seen: NoteBody | None = None
    asked: int = 0
    others: list[Signature] = field(default_factory=list)

    @property
    def signer(self) -> SeedSigner:
        return SeedSigner(self.name)

    @property
    def key(self) -> VerifierKey:
        return VerifierKey(self.name, COSIGNATURE, self.signer.public)

    def cosign(self, note: Note, prove: ConsistencyProver) -> list[Signature]:
        self.asked += 1
        if not self.answers:
            return []
        body = parse_note_body(note.text)
        if self.seen:
            if self.seen.head.size > body.head.size:
                raise LogHaltedError(f"{self.name} knows a larger size")
            check_consistency(self.seen.head, body.head, prove(self.seen.head.size))
        self.seen = body
        return [cosign_note(note.text, self.key, self.signer.private, int(self.clock.now()))]


@dataclass
class Pool:
    """The `Witnesses` port over witnesses in this process. `spoil` changes all cosignatures.

    A line under a name of no witness is in the first one's answer.
    """

    members: list[Witness]
    spoil: Callable[[list[Signature]], list[Signature]] = field(default=lambda lines: lines)

    def cosign(self, note: Note, policy: WitnessPolicy, prove: ConsistencyProver) -> WitnessAnswers:
        names = {key.name: name for name, key in policy.witnesses.items()}
        asked = [w for w in self.members if w.key in policy.witnesses.values()]
        answers: dict[str, list[Signature]] = {names[w.name]: [] for w in asked}
        for line in self.spoil([line for w in asked for line in w.cosign(note, prove)]):
            answers.get(names.get(line.name, ""), next(iter(answers.values()))).append(line)
        for each in asked:
            answers[names[each.name]] += each.others
        return answers

    def policy(self, threshold: str) -> str:
        lines = "".join(f"witness {w.name} {w.key.format()}\n" for w in self.members)
        return f"{lines}group g {threshold} {' '.join(w.name for w in self.members)}\nquorum g\n"
