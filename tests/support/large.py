"""Large logs, made quickly: what rounds publish, by the project's own code, without its locks and syncs.

Genesis comes from the real initialiser. Each further round takes the publication's pure functions and
writes what they yield as plain files; per-leaf objects are written by children beside the next round.
"""

import multiprocessing
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from multiprocessing.process import BaseProcess
from pathlib import Path

from attestlayer.canonical import format_json
from attestlayer.encoding import Hash
from attestlayer.log import layout
from attestlayer.log.checkpoint import Checkpoint, parse_checkpoint
from attestlayer.log.leaf import Leaf
from attestlayer.log.note import ED25519, Note, VerifierKey
from attestlayer.log.notices import Notices, parse_notices
from attestlayer.log.promises import renews_trust_root
from attestlayer.log.trust import make_trust_root, read_notices
from issuer.adapters.local.directory import DirectoryStore
from issuer.log.face import read_edge
from issuer.log.promise import Promise, promise_after
from issuer.log.publication import EdgeOfTree, Growth, consistency_object, entry_objects, views
from issuer.log.state import Batch, SignedRound
from support.log import REGISTRY, TestLog, leaf_number
from support.notes import sign_note
from support.service import CATALOGUE

POLICY = CATALOGUE.policies[0]
CADENCE_S = 60


@dataclass
class LargeLog:
    """A log in `home`/registry that grows by whole rounds. `children`: processes that write leaf objects."""

    home: Path
    children: int = 0
    _latest: Checkpoint = field(init=False)
    _notices: Notices = field(init=False)
    _edge: EdgeOfTree = field(init=False)
    _promise: Promise | None = None
    _bundle: list[Checkpoint] = field(default_factory=list)
    _writing: list[BaseProcess] = field(default_factory=list)

    def __post_init__(self) -> None:
        ports = TestLog(self.home).init()
        ports.public.create(layout.policy_path(POLICY.intake_policy_hash), POLICY.document)
        self._latest = parse_checkpoint((self.root / layout.LATEST).read_bytes())
        notices = (self.root / layout.notices_path(self._latest.notices_hash)).read_bytes()
        self._notices = parse_notices(notices)
        self._promise = promise_after(None, None, self._latest)
        self._bundle = [self._latest]

    @property
    def root(self) -> Path:
        """The registry's folder."""
        return self.home / "registry"

    def grow(self, counts: Iterable[int], told: Callable[[int], object] = lambda size: None) -> None:
        """A round for each count of new leaves; the views are those of the last one."""
        last: Callable[[], dict[str, bytes]] = dict
        for count in counts:
            last = self._round(count)
            told(self._latest.head.size)
        self._wait(0)
        self._write(last().items())

    def _round(self, count: int) -> Callable[[], dict[str, bytes]]:
        before, time = self._latest.head, self._latest.timestamp + CADENCE_S
        leaves = tuple(policy_leaf(before.size + number, time - 30) for number in range(count))
        batch = Batch(self._latest.sequence + 1, time, before, leaves, self._notices, notices_changed=False)
        growth = Growth(read_edge(DirectoryStore(self.root, state=self.home / "state"), before), batch)
        signed = self._sign(batch, growth)
        self._write(growth.objects().items())
        self._leaf_objects(lambda: self._write(entry_objects(batch, signed, growth)))
        self._write(consistency_object(batch, growth).items())
        self._write([(layout.checkpoint_path(signed.checkpoint.hash()), signed.checkpoint.format())])
        self._bundle.append(signed.checkpoint)
        if len(self._bundle) == layout.BUNDLED:
            data = format_json([checkpoint.members() for checkpoint in self._bundle])
            self._write([(layout.checkpoint_bundle_path(batch.sequence // layout.BUNDLED), data)])
            self._bundle = []
        earlier = self._promise
        self._promise = promise_after(earlier, batch.oldest, signed.checkpoint)
        if renews_trust_root(self._latest.timestamp, time, notices_changed=False):
            trust = make_trust_root(signed.checkpoint, self._notices)
            self._write([(layout.TRUST, trust.format())])
        self._latest = signed.checkpoint
        keyring = read_notices(self._notices)
        return lambda: views(batch, signed, keyring, earlier, CADENCE_S)

    def _sign(self, batch: Batch, growth: Growth) -> SignedRound:
        unsigned = Checkpoint(
            origin=self._latest.origin,
            sequence=batch.sequence,
            head=growth.head(),
            timestamp=batch.time,
            prev_checkpoint_hash=self._latest.hash(),
            notices_hash=self._notices.hash(),
            kid=REGISTRY.public.kid,
        )
        checkpoint = replace(unsigned, signature=REGISTRY.sign(unsigned.signed_bytes()))
        key = VerifierKey(checkpoint.origin, ED25519, REGISTRY.public)
        line = sign_note(checkpoint.note_text(), key, REGISTRY.private)
        return SignedRound(checkpoint, Note(checkpoint.note_text(), (line,)))

    def _leaf_objects(self, write: Callable[[], None]) -> None:
        if not self.children:
            write()
            return
        self._wait(self.children - 1)
        child = multiprocessing.get_context("fork").Process(target=write)
        child.start()
        self._writing.append(child)

    def _wait(self, left: int) -> None:
        while len(self._writing) > left:
            child = self._writing.pop(0)
            child.join()
            if child.exitcode:
                raise RuntimeError(f"a writer of leaf objects ended with {child.exitcode}")

    def _write(self, objects: Iterable[tuple[str, bytes]]) -> None:
        made: set[Path] = set()
        for name, data in objects:
            path = self.root / name
            if path.parent not in made:
                path.parent.mkdir(parents=True, exist_ok=True)
                made.add(path.parent)
            path.write_bytes(data)


def policy_leaf(number: int, issued_at: int) -> Leaf:
    """A leaf of the published policy that differs from every other number's."""
    return replace(
        leaf_number(number, issued_at),
        intake_policy_hash=Hash(POLICY.intake_policy_hash),
        lane_id=POLICY.lane_id,
        profile_id=POLICY.profile_id,
    )
