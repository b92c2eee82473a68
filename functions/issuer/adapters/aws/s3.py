"""An `ObjectStore` in an S3 bucket: conditional PUTs, and answers that got lost settled by reading back.

The hot path is obstore (Rust): 0.04 ms of CPU for a PUT where boto3 takes 1.6, and an import of 12 ms
instead of 350. Its own retries are off: it reports a 409 and its own write, done by a try whose answer was
lost, both as "exists already". Here every try that failed is looked into before the next one.

IAM actions, on the bucket's objects: s3:PutObject, s3:GetObject, s3:DeleteObject (who deletes);
on the bucket: s3:ListBucket, without which a missing object is a 403 and so an error, not absence.
"""

import math
import mmap
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import obstore
from obstore import store as obstores
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)

from issuer.adapters.aws.tries import Tries, first_line
from issuer.adapters.object_names import check_name, folder_of
from issuer.adapters.posix import storing
from issuer.errors import ObjectConflictError, StaleTagError, StoreError
from issuer.ports import Tagged

if TYPE_CHECKING:
    from obstore import PutMode

T = TypeVar("T")
Body = bytes | mmap.mmap

_WRITERS = 64  # threads; measured: 2,036 PUT/s where an answer takes 30 ms
_READERS = 16  # each holds a chunk
_CHUNK = 1024 * 1024
_TRIES = 5
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 1.0

# A 404 of a bucket that is not there must not look like an object that is not there.
_NO_BUCKET = "NoSuchBucket"
# An empty object has no first byte: 416, and so it is there.
_NO_SUCH_RANGE = "InvalidRange"


@dataclass(frozen=True, slots=True)
class S3Place:
    """Where S3 is and who asks. `endpoint_url`: another server than Amazon's, with the bucket in the path.

    `credentials` None: obstore looks for them (environment, container, instance).
    """

    region: str
    endpoint_url: str | None = None
    credentials: "obstores.S3CredentialProvider | None" = None
    timeout_s: float = 30.0


Headers = Callable[[str], Mapping[str, str]]


def no_headers(name: str) -> Mapping[str, str]:
    """Headers of an object that only this program reads."""
    del name
    return {"Content-Type": "application/octet-stream", "Cache-Control": "private, no-store"}


class S3Store:
    """Objects in `bucket`; `headers` gives each object's Content-Type and Cache-Control from its name.

    Tags are ETags: of bytes alone, so content that went to B and back to A has A's tag again, and is what
    the holder of A's tag read. Each PUT carries the SHA-256 of its bytes, which S3 checks before it stores
    them. obstore can't name a retention time for an object, so object lock is the bucket's default
    retention, and its policy refuses an unconditional PUT of an immutable name.

    A store must not cross a fork: obstore's threads don't.
    """

    def __init__(self, bucket: str, place: S3Place, headers: Headers = no_headers) -> None:
        self._bucket = bucket
        self._headers = headers
        config: obstores.S3Config = {
            "region": place.region,
            "checksum_algorithm": "SHA256",
            "virtual_hosted_style_request": not place.endpoint_url,
            "disable_bulk_delete": True,
        }
        if place.endpoint_url:
            config["endpoint"] = place.endpoint_url
        self._store = obstores.S3Store(
            bucket,
            config=config,
            client_options={
                "allow_http": bool(place.endpoint_url),
                "timeout": timedelta(seconds=place.timeout_s),
                "connect_timeout": timedelta(seconds=min(3.0, place.timeout_s)),
            },
            retry_config={"max_retries": 0},
            credential_provider=place.credentials,
        )

    def create(self, name: str, data: bytes) -> None:
        """Store `data` under a new name, or find the same bytes there. One request, if nothing fails."""
        check_name(name)
        self._create(name, data)

    def create_file(self, name: str, path: Path) -> None:
        """Store the file's content under a new name; it is mapped, not read, into memory."""
        check_name(name)
        with storing("read", str(path)), path.open("rb") as file:
            if not path.stat().st_size:  # nothing can't be mapped
                self._create(name, b"")
                return
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                self._create(name, mapped)

    def create_many(self, objects: Mapping[str, bytes]) -> None:
        """Store each under its new name, up to 64 at once."""
        for name in objects:
            check_name(name)
        with ThreadPoolExecutor(max(1, min(_WRITERS, len(objects)))) as pool:
            for _ in pool.map(lambda item: self._create(*item), objects.items()):
                pass

    def replace(self, name: str, data: bytes, tag: str | None) -> None:
        """Swap the content if its ETag is still `tag`."""
        check_name(name)
        mode: PutMode = "create" if tag is None else {"e_tag": tag}
        unclear = False
        for _ in (tries := self._tries("replace", name)):
            failed = self._put(name, data, mode)
            if failed is None:
                return
            tries.failed(failed)
            # 412, 404, and 409 of a race: this try did nothing. Anything else may have stored the bytes.
            unclear |= not isinstance(failed, AlreadyExistsError | PreconditionError | FileNotFoundError)
            found = self.read_tagged(name)
            if (found.tag if found else None) == tag:
                continue
            if unclear and found and found.data == data:
                return
            raise StaleTagError(f"replace {name}: found {_told(found)}, wanted {tag or 'no object'}")

    def read(self, name: str) -> bytes | None:
        """The object's bytes."""
        found = self.read_tagged(name)
        return None if found is None else found.data

    def exists(self, name: str) -> bool:
        """Whether the object is there. Asks for its first byte: only a GET's 404 says what is missing."""
        check_name(name)

        def look() -> bool:
            try:
                obstore.get(self._store, name, options={"range": (0, 1)}).bytes()
            except BaseError as error:
                if _NO_SUCH_RANGE not in str(error):
                    raise
            return True

        return self._reading("look for", name, look) or False

    def read_tagged(self, name: str) -> Tagged | None:
        """The object's bytes and their ETag, without its quotes."""
        check_name(name)

        def get() -> Tagged:
            found = obstore.get(self._store, name)
            return Tagged(bytes(found.bytes()), (found.meta["e_tag"] or "").strip('"'))

        return self._reading("read", name, get)

    def fetch(self, name: str, path: Path) -> bool:
        """Write the object to `path`, which must not exist yet, as it comes in; for this user only (0600)."""
        check_name(name)

        def copy() -> bool:
            stream = obstore.get(self._store, name).stream(_CHUNK)
            with storing("fetch", name), path.open("wb") as file:
                for chunk in stream:
                    file.write(chunk)
            return True

        with storing("fetch", name):
            path.touch(0o600, exist_ok=False)
        fetched = False
        try:
            fetched = self._reading("fetch", name, copy) or False
        finally:
            if not fetched:
                path.unlink()
        return fetched

    def fetch_many(self, files: Mapping[str, Path]) -> tuple[str, ...]:
        """As `fetch`, up to 16 at once."""
        with ThreadPoolExecutor(max(1, min(_READERS, len(files)))) as pool:
            found = pool.map(lambda item: self.fetch(*item), files.items())
            return tuple(name for name, there in zip(files, found, strict=True) if not there)

    def delete(self, name: str) -> None:
        """Remove the object. In a versioned bucket that hides it; its versions stay as the bucket says."""
        check_name(name)
        self._reading("delete", name, lambda: obstore.delete(self._store, name))

    def list(self, prefix: str, before: float | None = None) -> Iterator[str]:
        """Names in byte order, a thousand a request. A prefix that ends in no `/` reads its whole folder."""
        return self._list(folder_of(prefix), prefix, math.inf if before is None else before)

    def _list(self, folder: str, prefix: str, before: float) -> Iterator[str]:
        last: str | None = None
        for _ in (tries := self._tries("list", f"{prefix}* of {self._bucket}")):
            try:
                # obstore takes a folder for a prefix: `batch` would not list `batch2`.
                for page in obstore.list(self._store, folder.rstrip("/") or None, offset=last):
                    for each in page:
                        last = each["path"]
                        if last.startswith(prefix) and each["last_modified"].timestamp() < before:
                            yield last
                return
            except (BaseError, FileNotFoundError) as failed:
                tries.failed(failed)

    def _create(self, name: str, body: Body) -> None:
        for _ in (tries := self._tries("create", name)):
            failed = self._put(name, body, "create")
            if failed is None:
                return
            tries.failed(failed)
            same = self._compare(name, body)
            if same:
                return
            if same is False:
                raise ObjectConflictError(f"create {name}: it exists with other bytes")
            # Absent: nothing was stored, or will be by a try that is still under way, with the same bytes.

    def _put(self, name: str, body: Body, mode: "PutMode") -> Exception | None:
        """One PUT. Returns what went wrong, whatever it means; raises if trying again is of no use."""
        attributes = {
            key: value
            for key, value in self._headers(name).items()
            if key in ("Content-Type", "Cache-Control")
        }
        try:
            obstore.put(self._store, name, body, attributes=attributes, mode=mode, use_multipart=False)
        except (BaseError, FileNotFoundError) as error:
            _check_worth(error, "store", name)
            return error
        return None

    def _compare(self, name: str, body: Body) -> bool | None:
        """Whether the object has these bytes, or None if there is none. Reads up to the first difference."""
        view = memoryview(body)

        def compare() -> bool:
            found = obstore.get(self._store, name)
            if found.meta["size"] != len(view):
                return False
            at = 0
            for chunk in found.stream(_CHUNK):
                if view[at : at + len(chunk)] != memoryview(chunk):
                    return False
                at += len(chunk)
            return at == len(view)

        try:
            return self._reading("read back", name, compare)
        finally:
            view.release()

    def _reading(self, what: str, name: str, read: Callable[[], T]) -> T | None:
        """What `read` gives, or None if there is no object. It may be called several times."""
        for _ in (tries := self._tries(what, name)):
            try:
                return read()
            except FileNotFoundError as failed:
                if _NO_BUCKET not in str(failed):
                    return None
                raise StoreError(f"{what} {name}: there is no bucket {self._bucket}") from failed
            except BaseError as failed:
                _check_worth(failed, what, name)
                tries.failed(failed)
        raise AssertionError("the last try raises")

    def _tries(self, what: str, name: str) -> Tries:
        return Tries(f"{what} {name}", count=_TRIES, first_s=_FIRST_PAUSE_S, most_s=_LONGEST_PAUSE_S)


def _check_worth(error: Exception, what: str, name: str) -> None:
    """Raises `StoreError` for what trying again does not mend."""
    hopeless = isinstance(error, PermissionDeniedError | UnauthenticatedError) or _NO_BUCKET in str(error)
    if hopeless:
        raise StoreError(f"{what} {name}: {first_line(error)}") from error


def _told(found: Tagged | None) -> str:
    return "no object" if found is None else f"tag {found.tag}"
