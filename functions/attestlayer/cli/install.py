"""`attestlayer trust --install`: how a new trust root takes the place of the installed one."""

import os
import tempfile
from pathlib import Path

from attestlayer.cli.trust import read_root
from attestlayer.errors import CouldNotCheckError, Reason
from attestlayer.log.notices import NoticeType, Role
from attestlayer.log.trust import TrustRoot

_NOT_SHOWN = (
    "Registry, notices, signing key and witness policy were held against the one before. That its tree "
    "extends the old one was not shown: that takes a consistency proof, which a trust root does not hold."
)


def install(trust: TrustRoot, place: Path, *, accept_witnesses: bool) -> str:
    """Put a trust root in the default place, if it may take the place of the one there; says what it did.

    Raises `CouldNotCheckError` if it may not, `OSError`.
    """
    old = read_root(place) if os.path.lexists(place) else None
    if old:
        if old.fingerprint() == trust.fingerprint():
            return f"This trust root is installed already: {place}"
        check_update(old, trust, accept_witnesses=accept_witnesses)
    place.parent.mkdir(parents=True, exist_ok=True)
    _replace(place, trust.format())
    held = f"Installed: {place}."
    return f"{held} {_NOT_SHOWN}" if old else held


def check_update(old: TrustRoot, new: TrustRoot, *, accept_witnesses: bool) -> None:
    """Check that `new` may take the place of `old`: all of section 9 but the consistency of the trees.

    For that a proof is needed, which is no part of a trust root. Raises `CouldNotCheckError`.
    """
    before, after = old.checkpoint, new.checkpoint
    same_size_other_root = before.head.size == after.head.size and before.head.root != after.head.root
    refusals = {
        f"it is of {new.origin}, the installed one of {old.origin}": new.origin != old.origin,
        "it is older than the installed one": after.sequence < before.sequence,
        "its notices are not the installed one's and more": not new.notices.starts_with(old.notices),
        "its checkpoint contradicts the installed one: the log shows two faces": same_size_other_root
        or (before.sequence == after.sequence and before.hash() != after.hash())
        or after.head.size < before.head.size,
        "it is signed by a key that the installed one does not have; install the ones between first": (
            old.keyring.key(Role.REGISTRY, after.kid) is None
        ),
        "it changes the witness policy; compare with the operator's announcement, then add "
        "--accept-witnesses": not accept_witnesses and _policy_notices(new) != _policy_notices(old),
    }
    for refusal, applies in refusals.items():
        if applies:
            raise CouldNotCheckError(Reason.TRUST_ROOT_UNUSABLE, f"not installed: {refusal}")


def _policy_notices(trust: TrustRoot) -> list[bytes]:
    return [n.content() for n in trust.notices.notices if n.type == NoticeType.WITNESS_POLICY]


def _replace(place: Path, data: bytes) -> None:
    """Write next to the place, then rename: a reader finds the old file or the new one."""
    with tempfile.NamedTemporaryFile(dir=place.parent, prefix=".trust-", delete=False) as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            os.replace(file.name, place)  # noqa: PTH105
        except OSError:
            Path(file.name).unlink(missing_ok=True)
            raise
