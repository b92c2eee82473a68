"""Text files read through: plain text, CSV, JSON and mail messages."""

import codecs
import csv
import email
import io
import re
from collections.abc import Iterator
from email.message import Message
from typing import cast

import pydantic_core

from attestlayer.canonical import Json
from issuer.intake.media import MAX_JSON_SIZE, MAX_MAIL_SIZE, Flaw, FlawKind, MediaType
from issuer.intake.values import show

_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
_BLOCK = 1024 * 1024  # bytes decoded at a time, so that a large text is never whole in memory twice
_HEADER_MAX = 64 * 1024  # bytes of a CSV's first line, or of a message's header, that are looked at
# A message of MAX_MAIL_SIZE in base64 has 700,000; the parser takes microseconds for each header line.
_LINE_ENDS_MAX = 1_500_000
_PARTS_MAX = 500  # parts of one message
# In JSON that parses, strings and structure are all that is needed to find a member named twice.
_JSON_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\]:,]', re.DOTALL)
# RFC 9580 section 6.2 (OpenPGP), age-encryption.org/v1 (age): the line that armour begins with.
_ENCRYPTED_TEXT = re.compile(rb"^-----BEGIN (PGP MESSAGE|AGE ENCRYPTED FILE)-----", re.MULTILINE)
_CMS_TYPES = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_CMS_OPEN = frozenset({"signed-data", "certs-only", "compressed-data"})  # RFC 8551 section 3.2.2
_MAIL_FIELD = re.compile(rb"^(?:from|date|to|subject|received|message-id):", re.IGNORECASE | re.MULTILINE)


def text_flaw(data: bytes) -> Flaw | None:
    """Why `data` is not UTF-8 text without control characters, or None. O(size), in blocks."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(data), _BLOCK):
        try:
            decoder.decode(data[start : start + _BLOCK], final=start + _BLOCK >= len(data))
        except UnicodeDecodeError:
            return Flaw(FlawKind.UNREADABLE, "is not text in UTF-8")
    control = _CONTROL.search(data)
    if control:
        return Flaw(FlawKind.UNREADABLE, f"is not text: byte {control.start()} is a control character")
    if not data.lstrip(b"\xef\xbb\xbf").strip():
        return Flaw(FlawKind.EMPTY, "holds nothing but white space")
    return None


def encrypted_flaw(data: bytes) -> Flaw | None:
    """Whether a text holds an encrypted message in ASCII armour (OpenPGP, age), or None."""
    armour = _ENCRYPTED_TEXT.search(data)
    if armour is None:
        return None
    return Flaw(FlawKind.ENCRYPTED, f"holds an encrypted text ({armour[1].decode().lower()})")


def looks_like_mail(data: bytes) -> bool:
    """Whether it begins with header lines of a mail message."""
    head = data[:_HEADER_MAX].replace(b"\r\n", b"\n").split(b"\n\n")[0]
    # RFC 5322 section 3.6 demands From and Date; a third field tells a message from notes that begin so.
    return len({field.group().lower() for field in _MAIL_FIELD.finditer(head)}) >= 3


def parse_record_json(data: bytes) -> Json:
    """The value of a client's JSON record; a byte order mark is allowed.

    Raises `ValueError` if it does not parse, has NaN or infinity, or names a member twice in one object.
    """
    # RFC 8259 section 8.1: a parser may ignore the mark, which Windows writes. Section 4 leaves open what a
    # name that occurs twice means, so readers would disagree on what the record says.
    plain = data.removeprefix(codecs.BOM_UTF8)
    value = cast(Json, pydantic_core.from_json(plain, allow_inf_nan=False, cache_strings="none"))
    _check_members_once(plain)
    return value


def json_flaw(data: bytes) -> Flaw | None:
    """Why `data` is no JSON record, or None."""
    if len(data) > MAX_JSON_SIZE:
        return _too_large("JSON", data, MAX_JSON_SIZE)
    try:
        parse_record_json(data)
    except ValueError as error:
        return Flaw(FlawKind.UNREADABLE, f"does not parse as JSON: {error}")
    return None


def csv_header(data: bytes) -> list[str]:
    """The column names of a CSV record that has no flaw."""
    return [name.strip() for name in next(_rows(data))]


def csv_row_count(data: bytes) -> int:
    """The number of rows below the header of a CSV record that has no flaw. O(size)."""
    return sum(1 for _ in _rows(data)) - 1


def csv_flaw(data: bytes) -> Flaw | None:
    """Why `data` is not a table with one header and rows of its length, or None. O(size), row by row."""
    try:
        header = csv_header(data)
        for number, row in enumerate(_rows(data), 1):
            if len(row) != len(header):
                # RFC 4180 section 2 rule 4: each line has the same number of fields.
                cells = f"row {number} has {len(row)} cells, the header has {len(header)}"
                return Flaw(FlawKind.UNREADABLE, f"is not a whole table: {cells}")
    except (csv.Error, StopIteration, UnicodeDecodeError) as error:
        return Flaw(FlawKind.UNREADABLE, f"does not read as CSV: {error}")
    if "" in header or len(set(header)) != len(header):
        return Flaw(FlawKind.UNREADABLE, "has a column without a name, or two columns of the same name")
    return None


def mail_flaw(data: bytes) -> Flaw | None:
    """Why `data` is no mail message with sender, date and content, or None."""
    if len(data) > MAX_MAIL_SIZE:
        return _too_large("EML", data, MAX_MAIL_SIZE)
    if data.count(b"\n") + data.count(b"\r") > _LINE_ENDS_MAX:
        return Flaw(FlawKind.EXPANDS, "is a mail message of an unusual number of lines")
    message = email.message_from_bytes(data)  # never fails: it notes defects, and reads on
    missing = [name for name in ("From", "Date") if not str(message.get(name, "")).strip()]
    if missing:
        return Flaw(
            FlawKind.UNREADABLE, f"is not a whole mail message: it has no {' and no '.join(missing)} line"
        )
    parts = list(_leaves(message))
    if len(parts) > _PARTS_MAX:
        return Flaw(FlawKind.EXPANDS, f"has more than {_PARTS_MAX} parts")
    return _content_flaw(message, parts)


def attachments(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each attached file of a message."""
    for part in _leaves(email.message_from_bytes(data)):
        name = part.get_filename()
        content = part.get_payload(decode=True)
        if name and isinstance(content, bytes):
            yield str(name), content


def guess_text_type(data: bytes) -> MediaType:
    """JSON or plain text, where the extension says nothing."""
    if data.lstrip()[:1] in (b"{", b"[") and json_flaw(data) is None:
        return MediaType.JSON
    return MediaType.TXT


def _rows(data: bytes) -> Iterator[list[str]]:
    """The rows that are not blank."""
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", newline="")
    for row in csv.reader(text, delimiter=_delimiter(data), strict=True):
        if row:
            yield row


def _delimiter(data: bytes) -> str:
    """The commonest of comma, semicolon and tab in the first line; comma if there is none of them.

    RFC 4180 knows the comma alone; Excel writes semicolons where the comma is the decimal point.
    """
    line = data[:_HEADER_MAX].splitlines()[0] if data else b""
    return max((",", ";", "\t"), key=lambda mark: line.count(mark.encode()))


def _content_flaw(message: Message, parts: list[Message]) -> Flaw | None:
    if any(_is_encrypted(part) for part in message.walk()):
        return Flaw(FlawKind.ENCRYPTED, "is a mail message that is encrypted")
    if not any(part.get_payload(decode=True) for part in parts):
        return Flaw(FlawKind.UNREADABLE, "is a mail message without any content")
    return None


def _is_encrypted(part: Message) -> bool:
    """Encrypted by S/MIME (RFC 8551) or OpenPGP (RFC 3156, or in the text)."""
    kind = part.get_content_type()
    if kind == "multipart/encrypted":
        return True
    if kind in _CMS_TYPES:
        return str(part.get_param("smime-type", "enveloped-data")).lower() not in _CMS_OPEN
    content = part.get_payload(decode=True) if kind.startswith("text/") else None
    return isinstance(content, bytes) and _ENCRYPTED_TEXT.search(content) is not None


def _leaves(message: Message) -> Iterator[Message]:
    return (part for part in message.walk() if not part.is_multipart())


def _check_members_once(data: bytes) -> None:
    """`data` is JSON that parses. Raises `ValueError` if an object names a member twice. O(size)."""
    open_objects: list[set[str] | None] = []
    last = b""
    # `open_objects`: the names of each object around the place, None for an array. Only names have colons.
    for match in _JSON_TOKEN.finditer(data):
        token = match.group()
        if token in (b"{", b"["):
            open_objects.append(set() if token == b"{" else None)
        elif token in (b"}", b"]"):
            open_objects.pop()
        elif token == b":":
            name, names = str(pydantic_core.from_json(last)), open_objects[-1]
            if names is None or name in names:
                raise ValueError(f"member {show(name)} occurs twice in one object")
            names.add(name)
        last = token


def _too_large(label: str, data: bytes, limit: int) -> Flaw:
    return Flaw(FlawKind.TOO_LARGE, f"has {len(data)} bytes; {label} can have at most {limit}")
