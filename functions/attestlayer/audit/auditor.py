"""The audit of a whole registry: everything public is recomputed from its entries (REG-1.0 section 10).

Only the entries and the signatures are believed. All findings are reported, not only the first.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass, field

from attestlayer.audit.chain import Chain, ChainWalk, keys_of, looked_back, read_document
from attestlayer.audit.findings import AuditFinding, AuditReason, Progress
from attestlayer.audit.journal import Journal
from attestlayer.audit.leaves import LeafAudit
from attestlayer.audit.moment import read_views
from attestlayer.audit.reader import RegistryReader
from attestlayer.audit.sample import SampleAudit
from attestlayer.audit.state import AuditState, Position, Sampling
from attestlayer.audit.strays import StrayAudit
from attestlayer.audit.tree import TreeAudit
from attestlayer.audit.views import ConsistencyAudit, ViewAudit, Views
from attestlayer.canonical import parse_json, take_hash, take_members
from attestlayer.encoding import Hash, format_hash, sha256
from attestlayer.errors import CouldNotCheckError, Reason, VerificationError
from attestlayer.log import layout
from attestlayer.log.checkpoint import Checkpoint, parse_checkpoint
from attestlayer.log.notices import Notices, Role, parse_notices
from attestlayer.log.trust import TrustRoot, parse_trust, read_notices
from attestlayer.reading.registry import Registry


@dataclass(frozen=True, slots=True)
class AuditReport:
    """The result of an audit. `findings` is empty if every object is as the log says.

    `resumed`: leaves that an earlier run had checked. `looked_again`: of these, checked once more in this
    run. `objects` and `length`: what was read, in all runs.
    """

    newest: Checkpoint
    findings: tuple[AuditFinding, ...]
    objects: int
    length: int
    listed: bool
    resumed: int = 0
    looked_again: int = 0


def _silent(what: str, done: int, total: int) -> None:
    del what, done, total


def audit(
    registry: Registry,
    trust: TrustRoot | None = None,
    since: Checkpoint | None = None,
    progress: Progress = _silent,
    journal: Journal | None = None,
    *,
    now: int | None = None,
) -> AuditReport:
    """Audit a registry: chain, tree, leaves, proofs, views and, where names can be listed, stray objects.

    `trust` vouches for the keys. With `since` only what came after that checkpoint is audited. `journal`
    says how far an earlier run came, and records how far this one is; not together with `since`. `now`: POSIX
    seconds, to compare the newest checkpoint's time with; with None nothing is said about its age.

    Raises `CouldNotCheckError` if the registry can't be read or has no checkpoint to start from, or if the
    journal is another log's. O(n) requests and time; memory does not grow with the number of leaves, only by
    a few hundred bytes a published size.
    """
    reader = RegistryReader(registry, progress)
    before = journal.before if journal else None
    anchors = (trust.checkpoint if trust else None, before.checkpoint if before else since)
    # No cache may show an older log than the caller has seen.
    views = read_views(reader, max((anchor.sequence for anchor in anchors if anchor), default=0))
    newest = _newest(reader, views)
    if before and before.checkpoint.origin != newest.origin:
        message = f"the state is of the log {before.checkpoint.origin}, found {newest.origin}"
        raise CouldNotCheckError(Reason.INPUT_UNREADABLE, message)
    chain = _start(reader, newest, views, trust)
    _check_anchors(reader, chain, trust, before.checkpoint if before else since)
    return _Run(reader, chain, views, trust=trust, since=since, journal=journal, now=now).run()


@dataclass
class _Run:
    """One run: chain, tree with its leaves, and proofs, which can be resumed; then views and strays."""

    reader: RegistryReader
    chain: Chain
    views: Views
    _: KW_ONLY
    trust: TrustRoot | None
    since: Checkpoint | None
    journal: Journal | None
    now: int | None
    _before: AuditState | None = None
    _walk: ChainWalk = field(init=False)
    _leaves: LeafAudit = field(init=False)
    _tree: TreeAudit | None = None
    _proofs: ConsistencyAudit | None = None
    _first: int = 0
    _sampling: Sampling | None = None
    _looked_again: int = 0

    def run(self) -> AuditReport:
        """Run the audits, each on what the one before established: chain, tree, proofs, views, strays."""
        reader, since = self.reader, self.since
        # Findings so far, about views and keys, come up in every run; a state leaves them out.
        self._first = len(reader.findings)
        stop = since if since and since.sequence <= self.chain.newest.sequence else None
        self._before = self._resumed_state()
        self._follow_chain(stop)
        self._leaves = LeafAudit(reader, self.chain)
        self._tree = TreeAudit(reader, self.chain, self._leaves, stop.head.size if stop else 0, self._mark)
        self._proofs = ConsistencyAudit(reader, self.chain, 0, self._mark)
        if self._before:
            self._sampling = self._before.sampling
            self._leaves.resume(self._before.position)
            unsound = frozenset(finding.object for finding in self._before.findings)
            self._tree.resume(self._before.position, unsound)
            self._proofs.done = self._before.proofs
        self._tree.run()
        self._proofs.run()
        self._look_again(self._tree.whole())
        self._mark()
        findings = self._findings()
        ViewAudit(reader, self.chain, self.views, self._leaves, stop is None, self.now).run()
        names = None if stop else reader.registry.names()
        if names is not None:
            StrayAudit(reader, self.chain, self._leaves).run(names)
        return self._report(findings, names is not None)

    def _resumed_state(self) -> AuditState | None:
        """The state to go on from, unless it is newer than the registry."""
        before = self.journal.before if self.journal else None
        if before is None or before.checkpoint.sequence > self.chain.newest.sequence:
            return None
        return before

    def _look_again(self, windows: Sequence[Sequence[Hash]] | None) -> None:
        """Look at a sample of the leaves that earlier runs have checked, unless one of them was cut short."""
        before, journal = self._before, self.journal
        # A run that is killed again and again would else never come to its end.
        if before is None or journal is None or windows is None:
            return
        if not before.all_leaves or not before.position.leaves:
            return
        sampling, groups = journal.sample.next(self._sampling, before.position.leaves)
        again, findings = SampleAudit(self.reader, self.chain, windows), self.reader.findings
        known, first = {finding.object for finding in self._findings()}, len(findings)
        again.run(groups)
        # An object that was found wrong before keeps its finding, and gets no second one.
        findings[first:] = [finding for finding in findings[first:] if finding.object not in known]
        self._sampling, self._looked_again = sampling, again.leaves

    def _follow_chain(self, stop: Checkpoint | None) -> None:
        trust, since = self.trust, self.since
        anchors = tuple(each for each in (trust.checkpoint if trust else None, since) if each)
        self._walk = ChainWalk(
            self.reader,
            self.chain,
            stop,
            anchors,
            self._before.chain if self._before else (),
            self._mark,
            self._is_enough,
        )
        self._walk.run()
        if self._walk.forked:
            self._before = None  # another log: it is audited by itself

    def _is_enough(self, current: Checkpoint) -> bool:
        """Whether everything older than this checkpoint was audited and is not needed for the rest."""
        before, newest = self._before, self.chain.newest
        if before is None or not before.finished or self.reader.registry.names() is not None:
            return False
        # Its tree was audited, its size is not that of the newest checkpoint, and stats do not look back that
        # far.
        done = current.head.size <= before.position.leaves and current.head.size < newest.head.size
        return done and current.timestamp < looked_back(newest)

    def _mark(self) -> None:
        journal = self.journal
        if journal is None or self._walk.forked or (journal.before and not self._before):
            return
        before = self._before
        position = before.position if before else Position()
        journal.mark(
            AuditState(
                journal.registry,
                journal.trust,
                self.chain.newest,
                self._walk.stretches(),
                self._tree.position() if self._tree else position,
                self._proofs.done if self._proofs else before.proofs if before else 0,
                self._findings(),
                self.reader.objects + (before.objects if before else 0),
                self.reader.length + (before.length if before else 0),
                self._sampling if self._tree else before.sampling if before else None,
            )
        )

    def _findings(self) -> tuple[AuditFinding, ...]:
        """Findings about checkpoints, tree, leaves and proofs, of this run and the runs that it resumes."""
        earlier = self._before.findings if self._before else ()
        return tuple(dict.fromkeys((*earlier, *self.reader.findings[self._first :])))

    def _report(self, findings: tuple[AuditFinding, ...], listed: bool) -> AuditReport:
        reader, before = self.reader, self._before
        first = reader.findings[: self._first]
        return AuditReport(
            self.chain.newest,
            tuple(dict.fromkeys((*first, *findings, *reader.findings[self._first :]))),
            reader.objects + (before.objects if before else 0),
            reader.length + (before.length if before else 0),
            listed,
            before.position.leaves if before else 0,
            self._looked_again,
        )


def _newest(reader: RegistryReader, views: Views) -> Checkpoint:
    """The newest checkpoint that a view names and that is signed, or stored under its hash."""
    likely = [each for each in _candidates(reader, views) if _is_likely(reader, each)]
    if not likely:
        message = (
            "no checkpoint that is signed or stored was found: this is not a registry, or all of it is lost"
        )
        raise CouldNotCheckError(Reason.INPUT_UNREADABLE, message)
    return max(likely, key=lambda checkpoint: checkpoint.sequence)


def _candidates(reader: RegistryReader, views: Views) -> Iterator[Checkpoint]:
    try:
        yield parse_checkpoint(views[layout.LATEST] or b"")
    except VerificationError as error:
        if views[layout.LATEST] is not None:
            reader.report(layout.LATEST, AuditReason.MALFORMED, error)
    try:
        named = take_hash(take_members(parse_json(views[layout.STATS] or b"")), "checkpoint_hash")
        if (data := _hashed(reader, layout.checkpoint_path(named), named)) is not None:
            yield parse_checkpoint(data)
    except (ValueError, KeyError, VerificationError):  # its own check says what is wrong with it
        pass
    with suppress(VerificationError):
        yield parse_trust(views[layout.TRUST] or b"").checkpoint


def _is_likely(reader: RegistryReader, candidate: Checkpoint) -> bool:
    """Whether a checkpoint is stored under its hash, or signed by a key of its own notices."""
    if _hashed(reader, layout.checkpoint_path(candidate.hash()), candidate.hash()) is not None:
        return True
    try:
        data = _hashed(reader, layout.notices_path(candidate.notices_hash), candidate.notices_hash)
        key = read_notices(parse_notices(data or b"")).key(Role.REGISTRY, candidate.kid)
    except (ValueError, VerificationError):
        return False
    return key is not None and key.public.verifies(candidate.signature, candidate.signed_bytes())


def _hashed(reader: RegistryReader, name: str, wanted: Hash) -> bytes | None:
    """An object that may be missing or have another hash than its name's: None then."""
    data = reader.right(name, reader.read(name), lambda copy: copy is not None and sha256(copy) == wanted)
    return data if data is not None and sha256(data) == wanted else None


def _start(reader: RegistryReader, newest: Checkpoint, views: Views, trust: TrustRoot | None) -> Chain:
    """The chain before the walk: its newest checkpoint, with the keyring of the newest notices."""
    document = read_document(reader, newest.notices_hash)
    if document is None:
        document = _spare_notices(newest.notices_hash, views, trust)
    keyring = keys_of(reader, newest.notices_hash, document)
    return Chain(newest, keyring, document)


def _spare_notices(wanted: Hash, views: Views, trust: TrustRoot | None) -> Notices | None:
    """The notices out of a trust root, if they are the ones wanted."""
    try:
        spare = [trust, parse_trust(views[layout.TRUST] or b"")]
    except VerificationError:
        spare = [trust]
    return next((root.notices for root in spare if root and root.notices.hash() == wanted), None)


def _check_anchors(
    reader: RegistryReader, chain: Chain, trust: TrustRoot | None, since: Checkpoint | None
) -> None:
    """Check that the registry includes the checkpoint and notices that the caller trusts."""
    newest = chain.newest
    name = layout.checkpoint_path(newest.hash())
    for anchor in (trust.checkpoint if trust else None, since):
        if anchor and anchor.sequence > newest.sequence:
            wanted = f"{anchor.sequence}, {format_hash(anchor.hash())}"
            reader.report(
                name,
                AuditReason.TRUST_CONFLICT,
                f"found sequence {newest.sequence}, wanted at least {wanted}",
            )
        if anchor and anchor.origin != newest.origin:
            reader.report(name, AuditReason.ORIGIN_MISMATCH, f"found {newest.origin}, wanted {anchor.origin}")
    if trust and chain.notices and not chain.notices.starts_with(trust.notices):
        where, more = layout.notices_path(newest.notices_hash), format_hash(trust.notices.hash())
        reader.report(where, AuditReason.TRUST_CONFLICT, f"they are not the trust root's, {more}, and more")
