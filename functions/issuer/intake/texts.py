"""Text files read through: plain text and JSON."""

import codecs
import re
from typing import cast

import pydantic_core

from attestlayer.canonical import Json
from issuer.intake.encodings import Encoding, decode_blocks, text_encoding
from issuer.intake.flaw_kinds import FlawKind
from issuer.intake.flaws import Flaw
from issuer.intake.media import MAX_JSON_SIZE, MediaType
from issuer.intake.values import show

# In JSON that parses, strings and structure are all that is needed to find a member named twice.
_JSON_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\]:,]', re.DOTALL)
# An escaped backslash, a pair of surrogates, or half of one: only the half is no character.
_SURROGATE = re.compile(
    rb"\\\\|\\u[dD][89aAbB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
# RFC 9580 section 6.2 (OpenPGP), age-encryption.org/v1 (age): the line that armour begins with.
_ENCRYPTED_TEXT = re.compile(rb"^-----BEGIN (PGP MESSAGE|AGE ENCRYPTED FILE)-----", re.MULTILINE)
_MESSAGE_MAX = 120  # characters of a parser's message


class MemberTwiceError(ValueError):
    """JSON that names a member twice in one object. `name`: the member's, as a sentence shows it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"member {name} occurs twice in one object")
        self.name = name


def encrypted_flaw(data: bytes) -> Flaw | None:
    """Whether a text holds an encrypted message in ASCII armour (OpenPGP, age), or None."""
    armour = _ENCRYPTED_TEXT.search(data)
    return Flaw.of(FlawKind.ENCRYPTED_TEXT, armour[1].decode().lower()) if armour else None


def parse_record_json(data: bytes) -> Json:
    """The value of a client's JSON record, in UTF-8 (a byte order mark is allowed), UTF-16 or windows-1252.

    Raises `ValueError` if it does not parse, has NaN or infinity, or names a member twice in one object.
    """
    # RFC 8259 section 8.2: half a surrogate pair is allowed; it reads as the replacement character.
    return parse_plain_json(
        _SURROGATE.sub(lambda match: b"\\ufffd" if match[1] else match[0], _in_utf_8(data))
    )


def parse_plain_json(data: bytes) -> Json:
    """The value of a JSON text that a program wrote: UTF-8, a byte order mark is allowed, no half surrogates.

    Raises `ValueError` as `parse_record_json` does.
    """
    # RFC 8259 section 8.1: a parser may ignore the mark, which Windows writes. Section 4 leaves open what a
    # name that occurs twice means, so readers would disagree on what the text says.
    plain = data.removeprefix(codecs.BOM_UTF8)
    value = cast(Json, pydantic_core.from_json(plain, allow_inf_nan=False, cache_strings="none"))
    _check_members_once(plain)
    return value


def json_flaw(data: bytes, encoding: Encoding) -> Flaw | None:
    """Why `data` is no JSON record, or None."""
    if len(data) > MAX_JSON_SIZE:
        return Flaw.of(FlawKind.JSON_TOO_LARGE, len(data))
    if not encoding.known:
        return Flaw.of(FlawKind.JSON_ENCODING)
    try:
        parse_record_json(data)
    except MemberTwiceError as error:
        return Flaw.of(FlawKind.JSON_TWICE, error.name)
    except ValueError as error:
        if _is_json_lines(data):
            return Flaw.of(FlawKind.JSON_LINES)
        return Flaw.of(FlawKind.JSON_BROKEN, show(str(error), _MESSAGE_MAX)[1:-1])
    return None


def guess_text_type(data: bytes, encoding: Encoding) -> MediaType:
    """JSON or plain text, where the extension says nothing."""
    if data.removeprefix(codecs.BOM_UTF8).lstrip()[:1] in (b"{", b"[") and json_flaw(data, encoding) is None:
        return MediaType.JSON
    return MediaType.TXT


def _in_utf_8(data: bytes) -> bytes:
    encoding = text_encoding(data)
    if encoding is None or not encoding.known:
        raise ValueError("it is in an encoding that can't be told")
    if encoding.is_utf_8:
        return data.removeprefix(codecs.BOM_UTF8)
    return "".join(decode_blocks(data, encoding)).encode()


def _is_json_lines(data: bytes) -> bool:
    """Whether the first two lines are values of their own (jsonlines.org)."""
    lines = data.removeprefix(codecs.BOM_UTF8).split(b"\n", 2)
    try:
        for line in lines[:2]:
            pydantic_core.from_json(line, cache_strings="none")
    except ValueError:
        return False
    return len(lines) > 1


def _check_members_once(data: bytes) -> None:
    """`data` is JSON that parses. Raises `MemberTwiceError` if an object names a member twice. O(size)."""
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
                raise MemberTwiceError(show(name))
            names.add(name)
        last = token
