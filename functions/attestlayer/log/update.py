"""The rules by which a trust root takes the place of another (REG-1.0 section 9.7). Pure.

What can't be seen from two trust roots, that the newer tree extends the older one, is `check_growth`'s.
"""

from dataclasses import dataclass

from attestlayer.canonical import Json, format_json
from attestlayer.encoding import format_hash, sha256, shown
from attestlayer.errors import CouldNotCheckError, Reason, VerificationError
from attestlayer.log.merkle import HashReader, TreeHead, check_consistency, prove_consistency, root_hash
from attestlayer.log.notices import NoticeType, Role
from attestlayer.log.trust import TrustRoot


@dataclass(frozen=True, slots=True)
class Change:
    """A change that a person confirms: what it is of, before and after, and its name for scripts."""

    what: str
    before: str
    after: str
    name: str

    def question(self) -> str:
        """The change in one sentence, with what to do about it."""
        return (
            f"the {self.what} changed from {self.before} to {self.after}: compare it with the operator's "
            f"announcement, then confirm it with --accept {self.name}"
        )


def check_update(old: TrustRoot, new: TrustRoot) -> None:
    """Check that `new` may take the place of `old`, changes to confirm and the trees' consistency aside.

    Raises `CouldNotCheckError` (trust-root-unusable); `VerificationError` (checkpoint-conflict) if the two
    contradict each other.
    """
    before, after = old.checkpoint, new.checkpoint
    if new.origin != old.origin:
        raise _refused(
            f"it is the trust root of another registry, {new.origin}; the one in use is of {old.origin}. "
            "To use both, keep each in a file of its own and name it with --trust"
        )
    if old.keyring.key(Role.REGISTRY, after.kid) is None:
        raise _refused(
            f"it is signed by key {after.kid}, which the one in use does not have. If keys changed several "
            "times, update to the trust roots between first"
        )
    if _contradict(before.head, after.head) or (
        before.sequence == after.sequence and before.hash() != after.hash()
    ):
        message = (
            f"checkpoints {before.sequence} and {after.sequence} contradict each other: two faces of a log"
        )
        raise VerificationError(Reason.CHECKPOINT_CONFLICT, message)
    if after.sequence < before.sequence:
        raise _refused(f"it is older: checkpoint {after.sequence}, the one in use has {before.sequence}")
    if after.head.size < before.head.size:
        message = f"checkpoint {after.sequence} has fewer entries than {before.sequence}: two faces of a log"
        raise VerificationError(Reason.CHECKPOINT_CONFLICT, message)
    if not new.notices.starts_with(old.notices):
        raise _refused("its notices are not those of the one in use and more")


def changes_of(old: TrustRoot, new: TrustRoot) -> tuple[Change, ...]:
    """The changes that a person confirms: of the log's identity, of its witness policy."""
    changes = []
    before, after = old.identity(), new.identity()
    if before != after:
        changes.append(Change("registry key", before.format(), after.format(), new.checkpoint.kid))
    policies, newer = _policies(old), _policies(new)
    if policies != newer:
        name = format_hash(sha256(format_json(newer)))
        changes.append(Change("witness policy", _words(policies), _words(newer[len(policies) :]), name))
    return tuple(changes)


def check_growth(old: TreeHead, new: TreeHead, read: HashReader) -> None:
    """Check that the tree of `new` extends that of `old`, by the hashes of `new`'s tiles that `read` gives.

    Raises `VerificationError` (checkpoint-conflict) if it does not, `CouldNotCheckError`
    (registry-unreachable) if the tiles are not those of `new`, so that nothing can be said.
    """
    if old.size > new.size:
        raise ValueError(f"a tree of size {new.size} extends none of size {old.size}")
    if old.size == new.size:
        check_consistency(old, new, ())
        return
    # The old root as the tiles make it. That they are the new tree's is checked first: a server's damage is
    # no contradiction that the log's key signed.
    computed = TreeHead(old.size, root_hash(old.size, read))
    path = prove_consistency(old.size, new.size, read)
    try:
        check_consistency(computed, new, path)
    except VerificationError as error:
        message = f"the registry's tiles do not make the root of its tree of size {new.size}"
        raise CouldNotCheckError(Reason.REGISTRY_UNREACHABLE, message) from error
    check_consistency(old, new, path)


def _contradict(one: TreeHead, other: TreeHead) -> bool:
    return one.size == other.size and one.root != other.root


def _refused(why: str) -> CouldNotCheckError:
    return CouldNotCheckError(Reason.TRUST_ROOT_UNUSABLE, why)


def _policies(trust: TrustRoot) -> list[Json]:
    return [dict(n.data) for n in trust.notices.notices if n.type == NoticeType.WITNESS_POLICY]


def _words(policies: list[Json]) -> str:
    texts = [f"from {p['valid_from']} {shown(p['policy'])}" for p in policies if isinstance(p, dict)]
    return "; ".join(texts) or "none"
