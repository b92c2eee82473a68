"""The audit of a whole registry: everything public is computed anew from the entries (REG-1.0 section 10).

Nothing is believed but the entries and the signatures. All findings are reported, not only the first.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from attestlayer import layout
from attestlayer.audit_chain import Chain, ChainWalk, keys_of, read_document
from attestlayer.audit_findings import Examiner, Finding, Progress, Word
from attestlayer.audit_leaves import LeafAudit
from attestlayer.audit_strays import StrayAudit
from attestlayer.audit_tree import TreeAudit
from attestlayer.audit_views import NAMES, ViewAudit, Views, check_consistency_objects
from attestlayer.canonical import parse_json, take_hash, take_members
from attestlayer.checkpoint import Checkpoint, parse_checkpoint
from attestlayer.encoding import Hash, format_hash, sha256
from attestlayer.errors import CouldNotCheckError, Reason, VerificationError
from attestlayer.keyring import read_notices
from attestlayer.notices import Notices, Role, parse_notices
from attestlayer.registry import Registry
from attestlayer.trust import TrustRoot, parse_trust

_TRIES = 4


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What an audit found. `findings` is empty if all is as the log says."""

    newest: Checkpoint
    findings: tuple[Finding, ...]
    objects: int
    length: int
    listed: bool


def _silent(what: str, done: int, total: int) -> None:
    del what, done, total


def audit(
    registry: Registry,
    trust: TrustRoot | None = None,
    since: Checkpoint | None = None,
    progress: Progress = _silent,
) -> AuditReport:
    """Audit a registry, with `since` only what came after that checkpoint.

    Raises `CouldNotCheckError` if it can't be read, or holds no checkpoint to start from. O(n) requests
    and time; memory does not grow with the number of leaves, but by a few hundred bytes a published size.
    """
    examiner = Examiner(registry, progress)
    views = _read_views(registry)
    newest = _newest(examiner, views)
    chain = _start(examiner, newest, views, trust)
    given = tuple(each for each in (trust.checkpoint if trust else None, since) if each)
    _check_given(examiner, chain, trust, since)
    stop = since if since and since.sequence <= newest.sequence else None
    ChainWalk(examiner, chain, stop, given).run()
    leaves = LeafAudit(examiner, chain)
    TreeAudit(examiner, chain, leaves, stop.head.size if stop else 0).run()
    check_consistency_objects(examiner, chain)
    ViewAudit(examiner, chain, views, leaves, stop is None).run()
    names = registry.names()
    if names is not None and stop is None:
        StrayAudit(examiner, chain, leaves).run(names)
    unique = tuple(dict.fromkeys(examiner.findings))
    return AuditReport(newest, unique, examiner.objects, examiner.length, names is not None and stop is None)


def _read_views(registry: Registry) -> Views:
    """The views of one moment: read again while the registry moves on."""
    for _ in range(_TRIES):
        views = {name: registry.read(name) for name in NAMES}
        if registry.read(layout.LATEST) == views[layout.LATEST]:
            break
    return views


def _newest(examiner: Examiner, views: Views) -> Checkpoint:
    """The newest checkpoint that a view names and that is signed, or stored under its hash."""
    found = [each for each in _candidates(examiner, views) if _is_likely(examiner, each)]
    if not found:
        message = (
            "no view names a checkpoint that is signed or stored: this is no registry, or all of it is lost"
        )
        raise CouldNotCheckError(Reason.INPUT_UNREADABLE, message)
    return max(found, key=lambda checkpoint: checkpoint.sequence)


def _candidates(examiner: Examiner, views: Views) -> Iterator[Checkpoint]:
    try:
        yield parse_checkpoint(views[layout.LATEST] or b"")
    except VerificationError as error:
        if views[layout.LATEST] is not None:
            examiner.find(layout.LATEST, Word.MALFORMED, error)
    try:
        named = take_hash(take_members(parse_json(views[layout.STATS] or b"")), "checkpoint_hash")
        data = examiner.read(layout.checkpoint_path(named)) or b""
        if sha256(data) == named:
            yield parse_checkpoint(data)
    except (ValueError, KeyError, VerificationError):  # its own check says what is wrong with it
        pass
    with suppress(VerificationError):
        yield parse_trust(views[layout.TRUST] or b"").checkpoint


def _is_likely(examiner: Examiner, candidate: Checkpoint) -> bool:
    """Whether a checkpoint is stored under its hash, or signed by a key of its own notices."""
    if examiner.read(layout.checkpoint_path(candidate.hash())) == candidate.format():
        return True
    try:
        data = examiner.read(layout.notices_path(candidate.notices_hash)) or b""
        key = read_notices(parse_notices(data)).key(Role.REGISTRY, candidate.kid)
    except (ValueError, VerificationError):
        return False
    return key is not None and key.public.verifies(candidate.signature, candidate.signed_bytes())


def _start(examiner: Examiner, newest: Checkpoint, views: Views, trust: TrustRoot | None) -> Chain:
    """The chain with nothing but its newest end: the keys that the newest notices yield."""
    document = read_document(examiner, newest.notices_hash)
    if document is None:
        document = _spare_notices(newest.notices_hash, views, trust)
    keyring = keys_of(examiner, newest.notices_hash, document)
    return Chain(newest, keyring, document, newest)


def _spare_notices(wanted: Hash, views: Views, trust: TrustRoot | None) -> Notices | None:
    """The notices out of a trust root, if they are the ones wanted."""
    try:
        spare = [trust, parse_trust(views[layout.TRUST] or b"")]
    except VerificationError:
        spare = [trust]
    return next((root.notices for root in spare if root and root.notices.hash() == wanted), None)


def _check_given(examiner: Examiner, chain: Chain, trust: TrustRoot | None, since: Checkpoint | None) -> None:
    """Check that the registry is not behind, or beside, what was given from outside."""
    newest = chain.newest
    name = layout.checkpoint_path(newest.hash())
    for given in (trust.checkpoint if trust else None, since):
        if given and given.sequence > newest.sequence:
            wanted = f"{given.sequence}, {format_hash(given.hash())}"
            examiner.find(
                name, Word.TRUST_CONFLICT, f"found sequence {newest.sequence}, wanted at least {wanted}"
            )
        if given and given.origin != newest.origin:
            examiner.find(name, Word.ORIGIN_MISMATCH, f"found {newest.origin}, wanted {given.origin}")
    if trust and chain.notices and not chain.notices.starts_with(trust.notices):
        where, more = layout.notices_path(newest.notices_hash), format_hash(trust.notices.hash())
        examiner.find(where, Word.TRUST_CONFLICT, f"they are not the trust root's, {more}, and more")
