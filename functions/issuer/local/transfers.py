"""Uploads and downloads of the local server: what presigned addresses of a bucket do elsewhere."""

import hashlib
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import parse_qsl, quote, unquote

from multipart import (  # type: ignore[import-untyped]
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
    parse_options_header,
)

from attestlayer.encoding import format_base64, format_hash, shown
from issuer.adapters.local.transfers import LocalTransfers
from issuer.bootstrap.service import Service
from issuer.errors import Code, ServiceError, StoreError
from issuer.local.wsgi import Environ, HttpResponse

UPLOAD_PATH = "/uploads"
DOWNLOAD_PREFIX = "/downloads/"
FORM_OVERHEAD = 64 * 1024
"""Bytes of a form beside its file."""

_CHUNK = 256 * 1024
_FIELD_MAX = 1024
_FIELDS_MAX = 8
_FORM = "multipart/form-data"
_PLAIN = re.compile(r"[A-Za-z0-9._-]+")
_FILE = "file"

Events = Iterator[MultipartSegment | bytearray | bytes | None]


def take_upload(service: Service, environ: Environ) -> HttpResponse:
    """POST /uploads: store the file of a form, if it has exactly the announced length and SHA-256.

    Raises MALFORMED_REQUEST, LINK_…, RECORD_REFUSED, and stores nothing then. The file is written to disk
    while it is received.
    """
    with tempfile.TemporaryDirectory(prefix="attestlayer-", dir=service.scratch_path) as folder:
        path = Path(folder, "upload")
        try:
            name = _receive(service, environ, path)
        except OSError as error:
            raise StoreError(f"receive an upload: {error.strerror or error}") from error
        service.private.create_file(name, path)
        # Again: the record may have been taken out while its bytes came.
        if not service.packets.has_record(name):
            service.private.delete(name)
            raise _outlived()
    return HttpResponse(204, {"Cache-Control": "no-store"})


def send_download(service: Service, path: str, query: str) -> HttpResponse:
    """GET /downloads/…: the object's bytes as a file. Raises MALFORMED_REQUEST, LINK_…, NOT_FOUND."""
    try:
        name = unquote(path.removeprefix(DOWNLOAD_PREFIX), errors="strict")
        pairs = parse_qsl(query, strict_parsing=True, errors="strict", max_num_fields=_FIELDS_MAX)
    except ValueError as error:
        raise ServiceError(Code.MALFORMED_REQUEST, f"the address can't be read: {error}") from error
    if len(dict(pairs)) != len(pairs):
        raise ServiceError(Code.MALFORMED_REQUEST, "a parameter of the address occurs twice")
    filename = _transfers(service).check_download(name, dict(pairs))
    with tempfile.TemporaryDirectory(prefix="attestlayer-", dir=service.scratch_path) as folder:
        copy = Path(folder, "download")
        if not service.private.fetch(name, copy):
            raise ServiceError(Code.NOT_FOUND, f"there is no file {shown(filename)} any more")
        stream = copy.open("rb")  # the server closes it when it has sent it
    digest = hashlib.file_digest(stream, "sha256").digest()
    size = stream.tell()
    stream.seek(0)
    headers = {
        "Content-Type": "application/zip" if filename.endswith(".zip") else "application/octet-stream",
        "Content-Disposition": _disposition(filename),
        "Content-Length": str(size),
        "Repr-Digest": f"sha-256=:{format_base64(digest)}:",
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return HttpResponse(200, headers, FileBody(stream))


class FileBody:
    """An open file without a name as a WSGI body: closing it deletes it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self._stream.read(_CHUNK):
            yield chunk

    def close(self) -> None:
        """Called by the server after the last chunk, or when the client has gone."""
        self._stream.close()


def _transfers(service: Service) -> LocalTransfers:
    """The signer and checker of the local server's own links and forms."""
    assert isinstance(service.transfers, LocalTransfers)
    return service.transfers


def _receive(service: Service, environ: Environ, path: Path) -> str:
    """Read the form, with its file to `path`. The name to store it under."""
    kind, options = parse_options_header(environ.get("CONTENT_TYPE", ""))
    if kind != _FORM or not options.get("boundary"):
        raise ServiceError(
            Code.MALFORMED_REQUEST, f"Content-Type: found {shown(kind)}, wanted {_FORM} with a boundary"
        )
    try:
        return _read_form(service, _events(environ["wsgi.input"], options["boundary"]), path)
    except (MultipartError, UnicodeError) as error:
        raise ServiceError(Code.MALFORMED_REQUEST, f"the form can't be read: {error}") from error


def _read_form(service: Service, events: Events, path: Path) -> str:
    fields: dict[str, str] = {}
    for event in events:
        if not isinstance(event, MultipartSegment):
            continue
        name = event.name
        if name == _FILE:
            # The signed fields come before the file, so that an unwelcome file is not even read.
            upload = _transfers(service).check_upload(fields)
            if not service.packets.takes_upload(upload.name):
                raise _outlived()
            _store(_content(events), path, size=upload.size, sha256=upload.sha256)
            if next(events, None) is not None:
                raise ServiceError(Code.MALFORMED_REQUEST, "found a part behind file, wanted it to be last")
            return upload.name
        if name in fields:
            raise ServiceError(Code.MALFORMED_REQUEST, f"field {shown(name)} occurs twice")
        fields[name] = _field(_content(events))
    raise ServiceError(Code.MALFORMED_REQUEST, f"found no part named {_FILE}, wanted it behind the fields")


def _events(stream: BinaryIO, boundary: str) -> Events:
    """Of each part: the part, its bytes in chunks, None. Raises `MultipartError`."""
    with PushMultipartParser(boundary, max_segment_count=_FIELDS_MAX) as parser:
        yield from parser.parse_blocking(stream.read, chunk_size=_CHUNK)


def _content(events: Events) -> Iterator[bytes]:
    for event in events:
        if not isinstance(event, bytes | bytearray):
            return
        yield bytes(event)


def _field(chunks: Iterator[bytes]) -> str:
    value = b""
    for chunk in chunks:
        value += chunk
        if len(value) > _FIELD_MAX:
            raise ServiceError(Code.MALFORMED_REQUEST, f"a field has more than {_FIELD_MAX} bytes")
    return value.decode("utf-8")


def _store(chunks: Iterator[bytes], path: Path, *, size: int, sha256: bytes) -> None:
    """Write the file. Raises RECORD_REFUSED if it is not the announced one."""
    digest, received = hashlib.sha256(), 0
    with path.open("xb") as file:
        for chunk in chunks:
            received += len(chunk)
            if received > size:  # now, not at the end: nobody fills the disk with another file
                raise _refused(f"the file has more than the announced {size} bytes")
            digest.update(chunk)
            file.write(chunk)
    if received != size:
        raise _refused(f"the file has {received} bytes, {size} were announced")
    if digest.digest() != sha256:
        actual, announced = format_hash(digest.digest()), format_hash(sha256)
        raise _refused(f"the file has SHA-256 {actual}, {announced} was announced")


def _refused(detail: str) -> ServiceError:
    return ServiceError(Code.RECORD_REFUSED, f"{detail}; nothing was stored")


def _outlived() -> ServiceError:
    return ServiceError(
        Code.LINK_REFUSED, "its record was taken out, or its packet takes no more records; nothing was stored"
    )


def _disposition(filename: str) -> str:
    """The header that names the file to store."""
    if _PLAIN.fullmatch(filename):
        return f'attachment; filename="{filename}"'
    # RFC 6266 section 4.3: filename*, in the encoding of RFC 8187, if known; else filename.
    return f"attachment; filename=\"download\"; filename*=UTF-8''{quote(filename, safe='')}"
