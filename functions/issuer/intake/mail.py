"""Mail messages (EML): their header, whether they are encrypted, and every part as a file of its own."""

import email
import re
from collections.abc import Callable, Iterator
from email.message import Message

from issuer.intake.archives import counts_inside
from issuer.intake.flaw_kinds import FlawKind
from issuer.intake.flaws import Flaw, Recognised
from issuer.intake.foreign import cms_is_encrypted
from issuer.intake.media import MAX_MAIL_SIZE, MediaType
from issuer.intake.texts import encrypted_flaw

_HEADER_MAX = 64 * 1024  # bytes of a message's header that are looked at
# A message of MAX_MAIL_SIZE in base64 has 700,000; the parser takes microseconds for each header line.
_LINE_ENDS_MAX = 1_500_000
_PARTS_MAX = 500  # parts of one message
_CMS_TYPES = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_CMS_OPEN = frozenset({"signed-data", "certs-only", "compressed-data"})  # RFC 8551 section 3.2.2
_MAIL_FIELD = re.compile(
    rb"^(?:from|date|to|cc|subject|received|return-path|reply-to|message-id|mime-version|delivered-to|x-[\w-]+):",
    re.IGNORECASE | re.MULTILINE,
)
_SAYS_WHO = ("From", "Sender", "Date", "To", "Received", "Message-ID")

Inspect = Callable[[str, bytes], Recognised]


def looks_like_mail(data: bytes) -> bool:
    """Whether it begins with header lines of a mail message."""
    head = re.split(rb"\r?\n\r?\n", data[:_HEADER_MAX], maxsplit=1)[0]
    # RFC 5322 section 3.6 demands From and Date; a third field tells a message from notes that begin so.
    fields = {field.group().lower() for field in _MAIL_FIELD.finditer(head)}
    return len(fields) >= 3 and bool(re.match(rb"(?:From [^\r\n]*\r?\n)?[\w-]+:", head))


def recognise_mail(data: bytes, inspect: Inspect) -> Recognised:
    """What is wrong with a mail message; each part that is a file is handed to `inspect`. O(size)."""
    flaw = _size_flaw(data)
    if flaw is None:
        message = email.message_from_bytes(data)
        parts = [part for part in message.walk() if not part.is_multipart()]
        flaw = _message_flaw(message, parts)
    if flaw is not None:
        return Recognised(MediaType.EML, (flaw,))
    flaws = [
        found.in_mail(name)
        for name, content in _files(parts)
        for found in inspect(name, content).flaws
        if counts_inside(found)
    ]
    return Recognised(MediaType.EML, tuple(flaws))


def _size_flaw(data: bytes) -> Flaw | None:
    if len(data) > MAX_MAIL_SIZE:
        return Flaw.of(FlawKind.MAIL_TOO_LARGE, len(data))
    if data.count(b"\n") + data.count(b"\r") > _LINE_ENDS_MAX:
        return Flaw.of(FlawKind.MAIL_EXPANDS, f"more than {_LINE_ENDS_MAX} lines")
    return None


def _message_flaw(message: Message, parts: list[Message]) -> Flaw | None:
    if not any(message[name] for name in _SAYS_WHO):
        return Flaw.of(FlawKind.NO_MAIL)
    if len(parts) > _PARTS_MAX:
        return Flaw.of(FlawKind.MAIL_EXPANDS, f"more than {_PARTS_MAX} parts")
    if any(_is_encrypted(part) for part in message.walk()):
        return Flaw.of(FlawKind.ENCRYPTED_MAIL)
    # An approval may be in the subject alone; without it nothing is left that a reader could see.
    if not message["Subject"] and not any(_content(part) for part in parts):
        return Flaw.of(FlawKind.EMPTY_MAIL)
    return None


def _files(parts: list[Message]) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each part that a mail program shows as a file: all but the text itself."""
    for number, part in enumerate(parts, 1):
        name = str(part.get_filename() or "")
        if (name or part.get_content_maintype() != "text") and (content := _content(part)):
            yield name or f"part {number}", content


def _is_encrypted(part: Message) -> bool:
    """Encrypted by S/MIME (RFC 8551) or OpenPGP (RFC 3156, or in the text)."""
    kind = part.get_content_type()
    if kind == "multipart/encrypted":
        return True
    if kind in _CMS_TYPES:
        # What the bytes say comes first: an attached contract that was signed has no such parameter.
        encrypted = cms_is_encrypted(_content(part))
        named = str(part.get_param("smime-type", "enveloped-data")).lower() not in _CMS_OPEN
        return named if encrypted is None else encrypted
    return kind.startswith("text/") and encrypted_flaw(_content(part)) is not None


def _content(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""
