"""Audit of what stands by each leaf: its record, its registry receipt, its policy, its promise."""

from dataclasses import dataclass, field, replace

from attestlayer import layout
from attestlayer.audit_chain import Chain, Step, looked_back, step_of
from attestlayer.audit_findings import Examiner, Word, difference
from attestlayer.audit_notes import Signed, check_note
from attestlayer.canonical import parse_json, take_members, take_value
from attestlayer.encoding import (
    Hash,
    format_hash,
    format_time,
    parse_lane_id,
    parse_profile_id,
)
from attestlayer.errors import VerificationError
from attestlayer.leaf import Leaf, LeafRecord, parse_entry, parse_record
from attestlayer.merkle import check_inclusion
from attestlayer.notices import Role
from attestlayer.receipt import MERGE_DELAY_S
from attestlayer.registry_receipt import RegistryReceipt, parse_registry_receipt
from attestlayer.tiles import WIDTH, tile_at

MAX_POLICIES = 100_000


@dataclass(frozen=True, slots=True)
class Place:
    """A leaf as the tree holds it: index, hash, and the entry's bytes if its bundle is sound."""

    index: int
    hash: Hash
    entry: bytes | None


@dataclass
class LeafAudit:
    """Checks leaves in the log's order. Memory: the last note, and the policies that were seen.

    `worst_delay`: seconds from issuing to the checkpoint, of the leaves of the time that stats look back
    on. `all_read`: no leaf was too damaged to be read.
    """

    examiner: Examiner
    chain: Chain
    records: int = 0
    receipts: int = 0
    worst_delay: int | None = None
    all_read: bool = True
    _at: int = 0
    _lowest: int | None = None
    _note: tuple[Hash, str] | None = None
    _policies: dict[Hash, tuple[str, str] | None] = field(default_factory=dict)

    def check(self, place: Place) -> None:
        """Check everything about one leaf."""
        steps = self.chain.steps
        while self._at < len(steps) - 1 and steps[self._at].head.size <= place.index:
            self._at += 1
        leaf = self._leaf(place)
        data = self.examiner.need(layout.inclusion_path(place.hash))
        if data is not None:
            self.receipts += 1
            self._check_receipt(place, leaf, data)
        if leaf:
            self._note_delay(leaf, steps[self._at])
            self._check_policy(place, leaf)
            self._check_issuer(place, leaf)
        else:
            self.all_read = False

    def _note_delay(self, leaf: Leaf, step: Step) -> None:
        if step.timestamp >= looked_back(self.chain.newest):
            self.worst_delay = max(self.worst_delay or 0, step.timestamp - leaf.issued_at)

    def _leaf(self, place: Place) -> Leaf | None:
        """The leaf of the entry; where the bundle is damaged, the record's, if it hashes to the leaf."""
        name = layout.entry_path(place.hash)
        leaf = None
        if place.entry is not None:
            try:
                leaf = parse_entry(place.entry)
            except VerificationError as error:
                self.examiner.find(self._bundle(place), Word.MALFORMED, f"entry {place.index}: {error}")
        if leaf:
            data = self.examiner.compare(name, LeafRecord(leaf, place.hash).format())
            self.records += data is not None
            return leaf
        data = self.examiner.need(name)
        self.records += data is not None
        return None if data is None else self._recorded(place, name, data)

    def _recorded(self, place: Place, name: str, data: bytes) -> Leaf | None:
        try:
            record = parse_record(data)
        except VerificationError as error:
            self.examiner.find(name, Word.MALFORMED, error)
            return None
        found, wanted = record.leaf.hash(), place.hash
        if found != wanted or record.leaf_hash != wanted:
            self.examiner.find(
                name, Word.HASH_MISMATCH, f"found leaf {format_hash(found)}, wanted {format_hash(wanted)}"
            )
            return None
        return record.leaf

    def _bundle(self, place: Place) -> str:
        return tile_at(0, place.index // WIDTH, self.chain.newest.head.size).bundle_path

    def _check_receipt(self, place: Place, leaf: Leaf | None, data: bytes) -> None:
        name = layout.inclusion_path(place.hash)
        try:
            receipt = parse_registry_receipt(data)
        except VerificationError as error:
            self.examiner.find(name, Word.MALFORMED, error)
            return
        step = self._step(place, receipt)
        if receipt.leaf_index != place.index:
            self._misplaced(place, receipt)
            return
        if leaf and receipt.record != LeafRecord(leaf, place.hash):
            wanted = replace(receipt, record=LeafRecord(leaf, place.hash)).format()
            self.examiner.find(name, Word.RECEIPT_MISMATCH, f"another leaf: {difference(data, wanted)}")
        if receipt.checkpoint.hash() != step.hash:
            found, first = format_hash(receipt.checkpoint.hash()), format_hash(step.hash)
            self.examiner.find(
                name, Word.RECEIPT_MISMATCH, f"checkpoint {found}, wanted the first with the leaf, {first}"
            )
        try:
            check_inclusion(place.hash, place.index, step.head, receipt.audit_path)
        except VerificationError as error:
            self.examiner.find(name, Word.PROOF_INVALID, error)
        self._check_note(name, receipt, step)
        if leaf:
            self._check_promise(place, leaf, step)

    def _step(self, place: Place, receipt: RegistryReceipt) -> Step:
        """The first step that holds the leaf; below a break in the chain, the receipt's, if signed."""
        steps = self.chain.steps
        found, step = receipt.checkpoint, steps[self._at]
        if self._lowest is None:
            self._lowest = steps[0].sequence
        if self.chain.whole or found.sequence >= self._lowest or found.head.size <= place.index:
            return step
        key = self.chain.keyring.key(Role.REGISTRY, found.kid) if self.chain.keyring else None
        fits = found.head.size <= step.head.size and found.sequence < step.sequence
        if fits and key and key.public.verifies(found.signature, found.signed_bytes()):
            steps[self._at : self._at + (found.head.size == step.head.size)] = [step_of(found)]
        return steps[self._at]

    def _misplaced(self, place: Place, receipt: RegistryReceipt) -> None:
        name = layout.inclusion_path(place.hash)
        elsewhere = f"its receipt says index {receipt.leaf_index}, it stands at {place.index}"
        try:
            check_inclusion(place.hash, receipt.leaf_index, receipt.checkpoint.head, receipt.audit_path)
        except VerificationError:
            self.examiner.find(name, Word.RECEIPT_MISMATCH, elsewhere)
            return
        self.examiner.find(
            self._bundle(place), Word.ENTRY_REPEATED, f"{format_hash(place.hash)}: {elsewhere}"
        )

    def _check_note(self, name: str, receipt: RegistryReceipt, step: Step) -> None:
        """Check the note once for each step; the other receipts of the step carry the same."""
        text = receipt.note.format()
        if self._note == (step.hash, text):
            return
        if self._note and self._note[0] == step.hash:
            parted = difference(text.encode(), self._note[1].encode())
            self.examiner.find(name, Word.BYTES_DIFFER, f"another note than its neighbour's: {parted}")
        if self.chain.keyring is None or receipt.checkpoint.hash() != step.hash:
            return
        signed = Signed(receipt.note, receipt.checkpoint, step.timestamp)
        troubles = list(check_note(signed, self.chain.keyring))
        for word, detail in troubles:
            self.examiner.find(name, word, f"note: {detail}")
        if not troubles:
            self._note = (step.hash, text)

    def _check_promise(self, place: Place, leaf: Leaf, step: Step) -> None:
        name, keyring = layout.inclusion_path(place.hash), self.chain.keyring
        issued, merged = format_time(leaf.issued_at), format_time(step.timestamp)
        if leaf.issued_at > step.timestamp:
            self.examiner.find(name, Word.TIME_WRONG, f"issued at {issued}, in a checkpoint of {merged}")
        late = step.timestamp > leaf.issued_at + MERGE_DELAY_S
        if late and keyring and not keyring.is_late_merge(place.index):
            wanted = f"wanted {MERGE_DELAY_S} s at most, or an incident for index {place.index}"
            self.examiner.find(name, Word.LATE_MERGE, f"issued at {issued}, merged at {merged}; {wanted}")

    def _check_issuer(self, place: Place, leaf: Leaf) -> None:
        if self.chain.keyring is None:
            return
        key = self.chain.keyring.key(Role.ISSUER, leaf.issuer_kid)
        if key is None or not key.is_valid_at(leaf.issued_at):
            found = f"entry {place.index} of {format_time(leaf.issued_at)} names {leaf.issuer_kid}"
            self.examiner.find(self._bundle(place), Word.KEY_NOT_VALID, f"{found}, no issuer key valid then")

    def _check_policy(self, place: Place, leaf: Leaf) -> None:
        wanted = leaf.intake_policy_hash
        if wanted not in self._policies:
            if len(self._policies) >= MAX_POLICIES:
                self._policies.clear()
            self._policies[wanted] = self._read_policy(wanted)
        stated = self._policies[wanted]
        if stated is not None and stated != (leaf.lane_id, leaf.profile_id):
            found, name = f"entry {place.index} says {leaf.lane_id}/{leaf.profile_id}", self._bundle(place)
            self.examiner.find(name, Word.POLICY_MISMATCH, f"{found}, its policy {'/'.join(stated)}")

    def _read_policy(self, wanted: Hash) -> tuple[str, str] | None:
        name = layout.policy_path(wanted)
        data = self.examiner.need_hashed(name, wanted)
        try:
            if data is None:
                return None
            members = take_members(parse_json(data))
            lane = take_value(members, "lane_id", parse_lane_id)
            return lane, take_value(members, "profile_id", parse_profile_id)
        except (ValueError, KeyError) as error:
            self.examiner.find(name, Word.MALFORMED, error)
            return None
