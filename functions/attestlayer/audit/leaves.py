"""Audit of the objects of each leaf, record, registry receipt and policy, and of the promise to merge it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from attestlayer.audit.chain import Chain, Stage, looked_back, stage_of
from attestlayer.audit.findings import AuditReason, Trouble, check_note, difference
from attestlayer.audit.forms import Entry, ReceiptForm, entry_of, read_entry
from attestlayer.audit.reader import RegistryReader
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

    reader: RegistryReader
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
        """Check one leaf: its record, receipt, promise, policy and issuer key.

        The receipt is compared with the first checkpoint that contains the leaf (REG-1.0 section 8). Leaves
        come in the log's order, so that this stage only ever moves forward.
        """
        stages = self.chain.stages
        while self._at < len(stages) - 1 and stages[self._at].head.size <= place.index:
            self._at += 1
        entry = self._entry(place)
        data = self.reader.need(layout.inclusion_path(place.hash))
        if data is not None:
            self.receipts += 1
            # The fast way: bytes that a sound neighbour predicts need no parser and no proof check (see
            # `forms`).
            if entry is None or data != self._expected(place, entry):
                self._check_receipt(place, entry, data)
        if entry:
            self._check_promise(place, entry, stages[self._at])
            self._check_policy(place, entry)
            self._check_issuer(place, entry)
        else:
            self.all_read = False

    def gathered(self, position: Position) -> Position:
        """The position, completed by the counts, delays and note of this audit."""
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
        """Go on from the counts, delays and note of a saved position."""
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
                self.reader.report(
                    self._bundle(place), AuditReason.MALFORMED, f"entry {place.index}: {error}"
                )
        if entry:
            self.records += self.reader.compare(name, entry.record) is not None
            return entry
        data = self.reader.need(name)
        data = self.reader.right(name, data, lambda copy: _is_record_of(copy, place.hash)) or data
        self.records += data is not None
        return None if data is None else self._recorded(place, name, data)

    def _recorded(self, place: Place, name: str, data: bytes) -> Entry | None:
        try:
            record = parse_record(data)
        except VerificationError as error:
            self.reader.report(name, AuditReason.MALFORMED, error)
            return None
        computed, wanted = record.leaf.hash(), place.hash
        if computed != wanted or record.leaf_hash != wanted:
            detail = f"found leaf {format_hash(computed)}, wanted {format_hash(wanted)}"
            self.reader.report(name, AuditReason.HASH_MISMATCH, detail)
            return None
        return entry_of(record)

    def _bundle(self, place: Place) -> str:
        return tile_at(0, place.index // WIDTH, self.chain.newest.head.size).bundle_path

    def _expected(self, place: Place, entry: Entry) -> bytes | None:
        """The receipt's bytes as a sound neighbour of the same round and tile lets us know them, or None."""
        if self._sound is None or self._sound[0] != self.chain.stages[self._at].hash:
            return None
        if self._form is None:
            try:
                self._form = ReceiptForm(self._sound[1], *self._tile)
            except ValueError:  # the round's root is not this tree's, as its own finding says
                return None
        return self._form.receipt(place.index, entry.record)

    def _check_receipt(self, place: Place, entry: Entry | None, data: bytes) -> None:
        name = layout.inclusion_path(place.hash)
        findings = self._receipt_findings(place, entry, data)
        if findings:
            for copy in self.reader.other_copies(name):
                findings = findings if copy is None else self._receipt_findings(place, entry, copy)
                if not findings:
                    return
        for named, word, detail in findings:
            self.reader.report(named, word, detail)

    def _receipt_findings(
        self, place: Place, entry: Entry | None, data: bytes
    ) -> list[tuple[str, AuditReason, str]]:
        """What is wrong with a receipt: of which object, the reason, the detail."""
        name = layout.inclusion_path(place.hash)
        try:
            receipt = parse_registry_receipt(data)
        except VerificationError as error:
            return [(name, AuditReason.MALFORMED, str(error))]
        stage = self._stage(place, receipt)
        if receipt.leaf_index != place.index:
            return [self._misplaced(place, receipt)]
        troubles = [*self._wrong_leaf(receipt, entry), *self._wrong_proof(place, receipt, stage)]
        troubles += self._wrong_note(receipt, stage)
        if not troubles:
            self._sound, self._form = (stage.hash, receipt), None
        return [(name, word, detail) for word, detail in troubles]

    def _wrong_leaf(self, receipt: RegistryReceipt, entry: Entry | None) -> Iterator[Trouble]:
        if entry and receipt.record.format() != entry.record:
            wanted = replace(receipt, record=parse_record(entry.record)).format()
            yield AuditReason.RECEIPT_MISMATCH, f"another leaf: {difference(receipt.format(), wanted)}"

    def _wrong_proof(self, place: Place, receipt: RegistryReceipt, stage: Stage) -> Iterator[Trouble]:
        if receipt.checkpoint.hash() != stage.hash:
            named, first = format_hash(receipt.checkpoint.hash()), format_hash(stage.hash)
            yield AuditReason.RECEIPT_MISMATCH, f"checkpoint {named}, wanted the first with the leaf, {first}"
        try:
            check_inclusion(place.hash, place.index, stage.head, receipt.audit_path)
        except VerificationError as error:
            yield AuditReason.PROOF_INVALID, str(error)

    def _stage(self, place: Place, receipt: RegistryReceipt) -> Stage:
        """The first stage that holds the leaf; below a break in the chain, the receipt's, if signed."""
        stages = self.chain.stages
        own, stage = receipt.checkpoint, stages[self._at]
        if self.chain.whole or own.sequence >= self.chain.lowest or own.head.size <= place.index:
            return stage
        key = self.chain.keyring.key(Role.REGISTRY, own.kid) if self.chain.keyring else None
        fits = own.head.size <= stage.head.size and own.sequence < stage.sequence
        if fits and key and key.public.verifies(own.signature, own.signed_bytes()):
            # It replaces the stage of its own size, or comes before a larger one.
            stages[self._at : self._at + (own.head.size == stage.head.size)] = [stage_of(own)]
        return stages[self._at]

    def _misplaced(self, place: Place, receipt: RegistryReceipt) -> tuple[str, AuditReason, str]:
        name = layout.inclusion_path(place.hash)
        elsewhere = f"its receipt says index {receipt.leaf_index}, it stands at {place.index}"
        try:
            check_inclusion(place.hash, receipt.leaf_index, receipt.checkpoint.head, receipt.audit_path)
        except VerificationError:
            return name, AuditReason.RECEIPT_MISMATCH, elsewhere
        return self._bundle(place), AuditReason.ENTRY_REPEATED, f"{format_hash(place.hash)}: {elsewhere}"

    def _wrong_note(self, receipt: RegistryReceipt, stage: Stage) -> Iterator[Trouble]:
        """Check the note once for each stage; the other receipts of the stage carry the same."""
        text = receipt.note.format()
        if self.note == (stage.hash, text):
            return
        # All receipts of a round carry one note: a different one is reported, and then checked by itself.
        if self.note and self.note[0] == stage.hash:
            parted = difference(text.encode(), self.note[1].encode())
            yield AuditReason.BYTES_DIFFER, f"another note than its neighbour's: {parted}"
        if self.chain.keyring is None or receipt.checkpoint.hash() != stage.hash:
            return
        keyring, since = self.chain.keyring, stage.timestamp
        troubles = list(check_note(receipt.note, receipt.checkpoint, keyring, since=since))
        for word, detail in troubles:
            yield word, f"note: {detail}"
        if not troubles:
            self.note = (stage.hash, text)

    def _check_promise(self, place: Place, entry: Entry, stage: Stage) -> None:
        """Check the leaf's times, and note how long it waited."""
        issued_at, keyring = entry.stated.issued_at, self.chain.keyring
        # Only the longest delay of an hour is kept: what stats promise is the worst of 24 hours.
        hour, delay = stage.timestamp - stage.timestamp % 3600, stage.timestamp - issued_at
        self.delays[hour] = max(delay, self.delays.get(hour, 0))
        if 0 <= delay <= MERGE_DELAY_S:
            return
        name = layout.inclusion_path(place.hash)
        issued, merged = format_time(issued_at), format_time(stage.timestamp)
        if delay < 0:
            self.reader.report(
                name, AuditReason.TIME_WRONG, f"issued at {issued}, in a checkpoint of {merged}"
            )
        elif keyring and not keyring.is_late_merge(place.index):
            wanted = f"wanted {MERGE_DELAY_S} s at most, or an incident for index {place.index}"
            self.reader.report(
                name, AuditReason.LATE_MERGE, f"issued at {issued}, merged at {merged}; {wanted}"
            )

    def _check_issuer(self, place: Place, entry: Entry) -> None:
        if self.chain.keyring is None:
            return
        kid, issued_at = entry.stated.issuer_kid, entry.stated.issued_at
        key = self.chain.keyring.key(Role.ISSUER, kid)
        if key is None or not key.is_valid_at(issued_at):
            detail = f"entry {place.index} of {format_time(issued_at)} names {kid}, no issuer key valid then"
            self.reader.report(self._bundle(place), AuditReason.KEY_NOT_VALID, detail)

    def _check_policy(self, place: Place, entry: Entry) -> None:
        wanted, named = entry.stated.policy, (entry.stated.lane_id, entry.stated.profile_id)
        if wanted not in self._policies:
            # A cache, emptied when full: reading a policy again costs one object.
            if len(self._policies) >= MAX_POLICIES:
                self._policies.clear()
            self._policies[wanted] = self._read_policy(wanted)
        stated = self._policies[wanted]
        if stated is not None and stated != named:
            detail = f"entry {place.index} says {'/'.join(named)}, its policy {'/'.join(stated)}"
            self.reader.report(self._bundle(place), AuditReason.POLICY_MISMATCH, detail)

    def _read_policy(self, wanted: Hash) -> tuple[str, str] | None:
        name = layout.policy_path(wanted)
        data = self.reader.need_hashed(name, wanted)
        try:
            if data is None:
                return None
            members = take_members(parse_json(data))
            lane = take_value(members, "lane_id", parse_lane_id)
            return lane, take_value(members, "profile_id", parse_profile_id)
        except (ValueError, KeyError) as error:
            self.reader.report(name, AuditReason.MALFORMED, error)
            return None


def _is_record_of(data: bytes | None, leaf_hash: Hash) -> bool:
    try:
        record = parse_record(data or b"")
    except VerificationError:
        return False
    return record.leaf.hash() == leaf_hash == record.leaf_hash
