"""In which encoding a text is, if it is one. What is in none of them is no text."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass

_BLOCK = 1024 * 1024  # bytes decoded at a time, so that a large text is never whole in memory twice
# Unicode standard section 23.8; of two marks that begin alike the longer one comes first.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_CONTROLS = bytes((*range(1, 9), *range(14, 32), 127))
"""Control characters but tab and line ends. SWIFT's MT, terminals and DOS (Ctrl-Z) put some into texts."""
_SAMPLE = 64 * 1024  # bytes by which UTF-16 without a mark is told


@dataclass(frozen=True, slots=True)
class Encoding:
    """An encoding: `codec` as Python names it, `label` as people do. `known`: whether the bytes settle it."""

    codec: str
    label: str
    known: bool = True

    @property
    def is_utf_8(self) -> bool:
        """Whether every program reads it without being told the encoding."""
        return self.label == "UTF-8"


_UTF_8 = Encoding("utf-8-sig", "UTF-8")
_OTHER = Encoding("latin-1", "an encoding other than UTF-8, UTF-16 and windows-1252", known=False)


def text_encoding(data: bytes) -> Encoding | None:
    """The encoding of a text; None if `data` is no text: a NUL, or more control characters than texts have.

    O(size), in blocks.
    """
    for mark, codec, label in _MARKS:
        if data.startswith(mark):
            return Encoding(codec, label) if _is_text_in(data, codec) else None
    if b"\0" in data[:_SAMPLE]:
        return _unmarked_utf_16(data)
    if b"\0" in data:
        return None
    controls = len(data) - len(data.translate(None, _CONTROLS))
    if _decodes(data, "utf-8"):
        return _UTF_8 if controls * 5 <= len(data) else None
    if controls * 50 > len(data):
        return None
    return (
        Encoding("cp1252", "windows-1252, as far as its bytes tell") if _decodes(data, "cp1252") else _OTHER
    )


def decode_blocks(data: bytes, encoding: Encoding) -> Iterator[str]:
    """The text in blocks. Raises `UnicodeDecodeError` if `data` is in another encoding."""
    decoder = codecs.getincrementaldecoder(encoding.codec)()
    for start in range(0, len(data), _BLOCK):
        yield decoder.decode(data[start : start + _BLOCK], final=start + _BLOCK >= len(data))


def decode_head(data: bytes, encoding: Encoding, length: int) -> str:
    """About the first `length` bytes of a text."""
    return codecs.getincrementaldecoder(encoding.codec)("replace").decode(data[:length])


def _unmarked_utf_16(data: bytes) -> Encoding | None:
    """UTF-16 without a mark: of Latin text every other byte is zero."""
    sample = data[:_SAMPLE]
    for codec, zeros in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[::2])):
        if zeros.count(0) * 10 >= len(zeros) * 7 and _is_text_in(data, codec):
            return Encoding(codec, "UTF-16 without a byte order mark")
    return None


def _is_text_in(data: bytes, codec: str) -> bool:
    controls = length = 0
    try:
        for block in decode_blocks(data, Encoding(codec, codec)):
            if "\0" in block:
                return False
            plain = block.encode("ascii", "ignore")
            controls += len(plain) - len(plain.translate(None, _CONTROLS))
            length += len(block)
    except UnicodeDecodeError:
        return False
    return controls * 5 <= length


def _decodes(data: bytes, codec: str) -> bool:
    try:
        for _ in decode_blocks(data, Encoding(codec, codec)):
            pass
    except UnicodeDecodeError:
        return False
    return True
