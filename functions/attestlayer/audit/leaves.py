"""Audit of what stands by each leaf: its record, its registry receipt, its policy, its promise."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from attestlayer.audit.chain import Chain, Step, looked_back, step_of
from attestlayer.audit.findings import Examiner, Signed, Trouble, Word, check_note, difference
from attestlayer.audit.forms import Entry, ReceiptForm, entry_of, read_entry
from attestlayer.audit.state import Position
from attestlayer.canonical import parse_json, take_members, take_value
from attestlayer.encoding import (
    Hash,
    format_hash,
    format_time,
    parse_lane_id,
    parse_profile_id,
)
from attestlayer.errors import VerificationError
from attestlayer.log import layout
from attestlayer.log.leaf import RegistryReceipt, parse_record, parse_registry_receipt
from attestlayer.log.merkle import check_inclusion
from attestlayer.log.notices import Role
from attestlayer.log.promises import MERGE_DELAY_S
from attestlayer.log.tiles import WIDTH, tile_at

MAX_POLICIES = 100_000


@dataclass(frozen=True, slots=True)
class Place:
    """A leaf as the tree holds it: index, hash, and the entry's bytes if its bundle is sound."""

    index: int
    hash: Hash
    entry: bytes | None


@dataclass
class LeafAudit:
    """Checks leaves in the log's order. Memory: a tile, the last note, and the policies that were seen.

    `delays`: the longest time from issuing to the checkpoint, in seconds, by the hour of the checkpoint.
    `all_read`: no leaf was too damaged to be read.
    """

    examiner: Examiner
    chain: Chain
    records: int = 0
    receipts: int = 0
    delays: dict[int, int] = field(default_factory=dict)
    all_read: bool = True
    note: tuple[Hash, str] | None = None
    _at: int = 0
    _tile: tuple[int, Sequence[Hash]] = (0, ())
    _sound: tuple[Hash, RegistryReceipt] | None = None
    _form: ReceiptForm | None = None
    _policies: dict[Hash, tuple[str, str] | None] = field(default_factory=dict)

    def enter(self, first: int, hashes: Sequence[Hash]) -> None:
        """The leaves that follow are of this tile, whose leaf hashes begin at leaf `first`."""
        self._tile = (first, hashes)
        self._sound = self._form = None

    def check(self, place: Place) -> None:
        """Check everything about one leaf."""
        steps = self.chain.steps
        while self._at < len(steps) - 1 and steps[self._at].head.size <= place.index:
            self._at += 1
        entry = self._entry(place)
        data = self.examiner.need(layout.inclusion_path(place.hash))
        if data is not None:
            self.receipts += 1
            if entry is None or data != self._expected(place, entry):
                self._check_receipt(place, entry, data)
        if entry:
            self._check_promise(place, entry, steps[self._at])
            self._check_policy(place, entry)
            self._check_issuer(place, entry)
        else:
            self.all_read = False

    def gathered(self, position: Position) -> Position:
        """The position with what was gathered so far."""
        since = looked_back(self.chain.newest)
        delays = tuple((hour, delay) for hour, delay in sorted(self.delays.items()) if hour >= since)
        return replace(
            position,
            records=self.records,
            receipts=self.receipts,
            delays=delays,
            all_read=self.all_read,
            note=self.note,
        )

    def resume(self, position: Position) -> None:
        """Go on from what another audit of this log gathered."""
        self.records, self.receipts = position.records, position.receipts
        self.delays, self.all_read = dict(position.delays), position.all_read
        self.note = position.note

    def worst_delay(self) -> int | None:
        """The longest delay, in seconds, of the time that stats look back on."""
        since = looked_back(self.chain.newest)
        return max((delay for hour, delay in self.delays.items() if hour >= since), default=None)

    def _entry(self, place: Place) -> Entry | None:
        """The leaf of the entry; where the bundle is damaged, the record's, if it hashes to the leaf."""
        name = layout.entry_path(place.hash)
        entry = None
        if place.entry is not None:
            try:
                entry = read_entry(place.entry, place.hash)
            except VerificationError as error:
                self.examiner.find(self._bundle(place), Word.MALFORMED, f"entry {place.index}: {error}")
        if entry:
            self.records += self.examiner.compare(name, entry.record) is not None
            return entry
        data = self.examiner.need(name)
        self.records += data is not None
        return None if data is None else self._recorded(place, name, data)

    def _recorded(self, place: Place, name: str, data: bytes) -> Entry | None:
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
        return entry_of(record)

    def _bundle(self, place: Place) -> str:
        return tile_at(0, place.index // WIDTH, self.chain.newest.head.size).bundle_path

    def _expected(self, place: Place, entry: Entry) -> bytes | None:
        """The receipt's bytes as a sound neighbour of the same round and tile lets us know them, or None."""
        if self._sound is None or self._sound[0] != self.chain.steps[self._at].hash:
            return None
        if self._form is None:
            try:
                self._form = ReceiptForm(self._sound[1], *self._tile)
            except ValueError:  # the round's root is not this tree's, as its own finding says
                return None
        return self._form.receipt(place.index, entry.record)

    def _check_receipt(self, place: Place, entry: Entry | None, data: bytes) -> None:
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
        troubles = [*self._wrong_leaf(receipt, entry), *self._wrong_proof(place, receipt, step)]
        troubles += self._wrong_note(receipt, step)
        for word, detail in troubles:
            self.examiner.find(name, word, detail)
        if not troubles:
            self._sound, self._form = (step.hash, receipt), None

    def _wrong_leaf(self, receipt: RegistryReceipt, entry: Entry | None) -> Iterator[Trouble]:
        if entry and receipt.record.format() != entry.record:
            wanted = replace(receipt, record=parse_record(entry.record)).format()
            yield Word.RECEIPT_MISMATCH, f"another leaf: {difference(receipt.format(), wanted)}"

    def _wrong_proof(self, place: Place, receipt: RegistryReceipt, step: Step) -> Iterator[Trouble]:
        if receipt.checkpoint.hash() != step.hash:
            found, first = format_hash(receipt.checkpoint.hash()), format_hash(step.hash)
            yield Word.RECEIPT_MISMATCH, f"checkpoint {found}, wanted the first with the leaf, {first}"
        try:
            check_inclusion(place.hash, place.index, step.head, receipt.audit_path)
        except VerificationError as error:
            yield Word.PROOF_INVALID, str(error)

    def _step(self, place: Place, receipt: RegistryReceipt) -> Step:
        """The first step that holds the leaf; below a break in the chain, the receipt's, if signed."""
        steps = self.chain.steps
        found, step = receipt.checkpoint, steps[self._at]
        if self.chain.whole or found.sequence >= self.chain.lowest or found.head.size <= place.index:
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

    def _wrong_note(self, receipt: RegistryReceipt, step: Step) -> Iterator[Trouble]:
        """Check the note once for each step; the other receipts of the step carry the same."""
        text = receipt.note.format()
        if self.note == (step.hash, text):
            return
        if self.note and self.note[0] == step.hash:
            parted = difference(text.encode(), self.note[1].encode())
            yield Word.BYTES_DIFFER, f"another note than its neighbour's: {parted}"
        if self.chain.keyring is None or receipt.checkpoint.hash() != step.hash:
            return
        signed = Signed(receipt.note, receipt.checkpoint, step.timestamp)
        troubles = list(check_note(signed, self.chain.keyring))
        for word, detail in troubles:
            yield word, f"note: {detail}"
        if not troubles:
            self.note = (step.hash, text)

    def _check_promise(self, place: Place, entry: Entry, step: Step) -> None:
        """Check the leaf's times, and note how long it waited."""
        issued_at, keyring = entry.stated.issued_at, self.chain.keyring
        hour, delay = step.timestamp - step.timestamp % 3600, step.timestamp - issued_at
        self.delays[hour] = max(delay, self.delays.get(hour, 0))
        if 0 <= delay <= MERGE_DELAY_S:
            return
        name = layout.inclusion_path(place.hash)
        issued, merged = format_time(issued_at), format_time(step.timestamp)
        if delay < 0:
            self.examiner.find(name, Word.TIME_WRONG, f"issued at {issued}, in a checkpoint of {merged}")
        elif keyring and not keyring.is_late_merge(place.index):
            wanted = f"wanted {MERGE_DELAY_S} s at most, or an incident for index {place.index}"
            self.examiner.find(name, Word.LATE_MERGE, f"issued at {issued}, merged at {merged}; {wanted}")

    def _check_issuer(self, place: Place, entry: Entry) -> None:
        if self.chain.keyring is None:
            return
        kid, issued_at = entry.stated.issuer_kid, entry.stated.issued_at
        key = self.chain.keyring.key(Role.ISSUER, kid)
        if key is None or not key.is_valid_at(issued_at):
            found = f"entry {place.index} of {format_time(issued_at)} names {kid}"
            self.examiner.find(self._bundle(place), Word.KEY_NOT_VALID, f"{found}, no issuer key valid then")

    def _check_policy(self, place: Place, entry: Entry) -> None:
        wanted, named = entry.stated.policy, (entry.stated.lane_id, entry.stated.profile_id)
        if wanted not in self._policies:
            if len(self._policies) >= MAX_POLICIES:
                self._policies.clear()
            self._policies[wanted] = self._read_policy(wanted)
        stated = self._policies[wanted]
        if stated is not None and stated != named:
            found, name = f"entry {place.index} says {'/'.join(named)}", self._bundle(place)
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
