"""Tries once whether a store honours the conditions that the log rests on, before the log does.

Create-if-absent (`If-None-Match: *`) keeps what was published, compare-and-swap (`If-Match`) keeps two
writers from making two logs. Some servers that speak S3's protocol take both headers and ignore them.
"""

from contextlib import suppress
from dataclasses import dataclass

from attestlayer.log import layout
from issuer.errors import Code, ObjectConflictError, ServiceError, StaleTagError
from issuer.ports import Entropy, ObjectStore

PROBES = "probe/"
"""Where the private store's objects for it are; each try has its own, and deletes it."""

_FIRST = b"{}"
_NO_TAG = "0" * 32  # no ETag and no SHA-256 in hexadecimal of anything that was ever stored


@dataclass(frozen=True)
class Probe:
    """Writes an object, then tries the two writes that a store must refuse.

    In the public store, where nothing may be deleted, that object is the problem document that a CDN answers
    where there is nothing: it is published anyway, and an existing one is kept. A try takes about five
    requests for the public store and eight for the private one, or as many writes to a folder.
    """

    public: ObjectStore
    private: ObjectStore
    entropy: Entropy

    def run(self) -> None:
        """Try both stores. Raises `ServiceError` (STORE_UNUSABLE) with the store and what it ignored."""
        self.check_public()
        # A name of its own: another process must not delete it between two writes.
        name = f"{PROBES}{self.entropy.token(16).hex()}"
        try:
            _check(self.private, name)
        finally:
            self.private.delete(name)

    def check_public(self) -> None:
        """Try the public store. Raises `ServiceError` (STORE_UNUSABLE)."""
        _check(self.public, layout.NOT_FOUND_PROBLEM)


def _check(store: ObjectStore, name: str) -> None:
    before = store.read_tagged(name)
    if before is None:
        with suppress(ObjectConflictError):  # another process was faster
            store.create(name, _FIRST)
    other = (before.data if before else _FIRST) + b"\n"  # the same bytes again would be no conflict
    ignored = []
    try:
        store.create(name, other)
        ignored.append("create-if-absent (If-None-Match)")
    except ObjectConflictError:
        pass
    try:
        store.replace(name, other, _NO_TAG)
        ignored.append("compare-and-swap (If-Match)")
    except StaleTagError:
        pass
    if not ignored:
        return
    after = store.read_tagged(name)
    if before and after:
        store.replace(name, before.data, after.tag)
    raise ServiceError(
        Code.STORE_UNUSABLE,
        f"{store} ignores {' and '.join(ignored)}: it wrote over {name}, which it had to refuse. A log in it "
        "could be overwritten unnoticed. Use a store that honours both conditions, as S3 does",
    )
