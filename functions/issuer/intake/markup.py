"""XML read through without entities, and texts in HTML, RTF or PostScript told by their beginning."""

import re
from dataclasses import dataclass, field
from xml.parsers import expat

from issuer.intake.flaw_kinds import FlawKind
from issuer.intake.flaws import Flaw, Recognised, judged, refused
from issuer.intake.media import MediaType
from issuer.intake.values import show

MAX_XML_SIZE = 32 * 1024 * 1024
"""Bytes of the largest XML record."""
_BLOCK = 64 * 1024
_OFFICE_2003 = "urn:schemas-microsoft-com:office:"
_FIRST_ELEMENTS = 60  # elements in which a message's namespace is looked for: banks put an envelope around it
# ISO 20022 part 4; messages of before its edition of 2009 have SWIFT's names.
_ISO_20022 = re.compile(r"urn:(?:iso:std:iso:20022:tech:xsd:|swift:xsd:\$?(?:pain|pacs|camt)\.)")
_HTML_START = re.compile(
    r"<(?:!doctype\s+html|!doctype\s+svg|(?:html|head|body|meta|title|link|script|style|base|table|thead|tbody|tr|td|th|div"
    r"|span|p|br|hr|h[1-6]|ul|ol|li|dl|a|b|i|u|img|font|center|form|input|iframe|frameset|object|embed|applet"
    r"|svg|math|pre|hta:\w+)(?=[\s/>]))",
    re.IGNORECASE,
)
_XML_START = re.compile(r"<!DOCTYPE\s+(?!html)|<[A-Za-z_][\w.:-]*\s[^<>]{0,300}?xmlns", re.IGNORECASE)
_COMMENTS = re.compile(r"(?:\s|<!--[\s\S]{0,4000}?-->)*")
_OTHER_MARKUP = (("{\\rtf", "a text in RTF"), ("%!ps", "a PostScript file"))


class DoctypeError(Exception):
    """XML with a document type declaration: entities could expand a short text without bound."""


@dataclass(slots=True)
class XmlReader:
    """Reads XML through. `elements`: names of the first elements, `namespace name` or `name`.

    Raises `DoctypeError`, and `expat.ExpatError` on XML that is not well formed.
    """

    elements: list[str] = field(default_factory=list)
    _parser: expat.XMLParserType = field(init=False)

    def __post_init__(self) -> None:
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.StartDoctypeDeclHandler = _refuse_doctype
        self._parser.StartElementHandler = self._start

    def read(self, data: bytes) -> None:
        """Read a whole document."""
        for start in range(0, len(data), _BLOCK):
            self._parser.Parse(data[start : start + _BLOCK], False)
        self._parser.Parse(b"", True)

    def _start(self, name: str, _: object) -> None:
        self.elements.append(name)
        if len(self.elements) == _FIRST_ELEMENTS:
            self._parser.StartElementHandler = None


def recognise_xml(data: bytes) -> Recognised:
    """What a text that begins as XML is: an ISO 20022 message, a web page or another document. O(size)."""
    if len(data) > MAX_XML_SIZE:
        return refused(FlawKind.XML_TOO_LARGE, len(data))
    reader, flaw = XmlReader(), None
    try:
        reader.read(data)
    except DoctypeError:
        flaw = Flaw.of(FlawKind.XML_EXPANDS)
    except (
        expat.ExpatError,
        ValueError,
        LookupError,
    ) as error:  # the last two: an encoding that is not known
        flaw = Flaw.of(FlawKind.XML_BROKEN, error)
    if any(_ISO_20022.match(name) for name in reader.elements):
        return judged(MediaType.ISO_20022, flaw)
    root = reader.elements[0].rpartition(" ")[2] if reader.elements else ""
    if root.lower() == "svg":
        return refused(FlawKind.OTHER_PICTURE, "SVG")
    if root.lower() == "html" or _doctype_of_page(data):
        return refused(FlawKind.HTML)
    if any(name.startswith(_OFFICE_2003) for name in reader.elements[:1]):
        return refused(FlawKind.OTHER_OFFICE, "XML of Office 2003")
    return Recognised(None, (flaw or Flaw.of(FlawKind.XML, show(root)),))


def markup_flaw(head: str) -> Flaw | None:
    """Whether a text that begins with `head` is HTML, RTF or PostScript, or None."""
    start = _COMMENTS.match(head.lstrip("\ufeff"))
    rest = head.lstrip("\ufeff")[start.end() if start else 0 :][:200]
    for mark, description in _OTHER_MARKUP:
        if rest.lower().startswith(mark):
            return Flaw.of(FlawKind.MARKUP, description)
    return Flaw.of(FlawKind.HTML) if _HTML_START.match(rest) else None


def begins_as_xml(head: str) -> bool:
    """Whether a text begins with an XML declaration, another document type than HTML, or a namespace."""
    rest = head.lstrip("\ufeff").lstrip()[:400]
    return rest.startswith("<?xml") or _XML_START.match(rest) is not None


def _doctype_of_page(data: bytes) -> bool:
    return re.search(rb"<!doctype\s+(?:html|svg)", data[:4096], re.IGNORECASE) is not None


def _refuse_doctype(*_: object) -> None:
    raise DoctypeError
