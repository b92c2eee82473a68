"""PDF documents read through with qpdf: whole, open, with all pages, and holding or starting no program."""

import io
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pikepdf
from pikepdf import Array, Dictionary, Object, Pdf, Stream

from issuer.intake.flaw_kinds import FlawKind
from issuer.intake.flaws import Flaw, Recognised
from issuer.intake.media import MediaType
from issuer.intake.pdf_files import MAX_DECODED, Action, actions, embedded_files, inflated
from issuer.intake.pictures import jpeg_flaw
from issuer.intake.rules import GeneralCheck
from issuer.intake.zipped import Budget, ExpandsError

MAX_PAGES = 20_000
"""Pages of the largest PDF."""
HEADER_MAX = 1024 + 5
"""Bytes within which the header begins (PDF Reference 1.7, implementation note 13)."""
_MAX_OBJECT = 2_500_000  # bytes of one object's text; each takes up to 75 times its size in memory
_MAX_MARKS = 2_000_000  # objects, and words that look so
_MAX_DEPTH = 60  # levels of the page tree
_MARKS = re.compile(rb"endstream|endobj|stream|obj")
_OBJECT = re.compile(rb"(?:^|[\r\n ])([0-9]{1,10}) ([0-9]{1,5}) obj")
# ISO 32000-2 tables 20 and 25: the pages open, and only the embedded files ask for the password.
_ONLY_FILES = re.compile(rb"/AuthEvent\s*/EFOpen|/StmF\s*/Identity")
# One sector: what a failed download or copy leaves. A run of zeros is looked at once, from its beginning.
_HOLE = re.compile(rb"(?<!\0)\0{512,}")
_PAGE_TEXT = 4096  # bytes of a page's own text that are looked at
_HOLES_SEEN = 20
_REBUILT = "Attempting to reconstruct cross-reference table"  # qpdf's warning
_EMBEDDED = (GeneralCheck.NO_EXECUTABLES, GeneralCheck.NO_MACROS)

Inspect = Callable[[str, bytes], Recognised]

# qpdf's limits hold in the whole process. Without them a few bytes unpack to gigabytes.
pikepdf.settings.set_qpdf_limits(
    flate_max_memory=MAX_DECODED, run_length_max_memory=MAX_DECODED, max_stream_filters=4
)


@dataclass(slots=True)
class _Pages:
    """The page tree, walked: the pages, and how many it names that are not there."""

    pages: list[Dictionary] = field(default_factory=list)
    missing: int = 0


def pdf_start(data: bytes) -> int:
    """Where the header begins, or -1. Scanners and print servers put some bytes before it."""
    return data.find(b"%PDF-", 0, HEADER_MAX)


def recognise_pdf(data: bytes, inspect: Inspect, budget: Budget) -> Recognised:
    """What is wrong with a PDF. Embedded files are handed to `inspect`. O(size)."""
    flaw = _structure_flaw(data)
    if flaw is not None:
        return Recognised(MediaType.PDF, (flaw,))
    try:
        with pikepdf.open(
            io.BytesIO(data), suppress_warnings=True, inherit_page_attributes=False, attempt_recovery=True
        ) as pdf:
            return _read(pdf, data, inspect, budget)
    except pikepdf.PasswordError:  # it does not open with the empty password (ISO 32000-2 section 7.6)
        kind = FlawKind.PDF_FILES_ENCRYPTED if _ONLY_FILES.search(data) else FlawKind.PDF_ENCRYPTED
        return Recognised(MediaType.PDF, (Flaw.of(kind),))
    except ExpandsError as error:
        return Recognised(MediaType.PDF, (Flaw.of(FlawKind.EXPANDS, error),))
    except MemoryError:
        raise
    except Exception:  # pikepdf raises whatever a hostile file makes qpdf trip over
        encrypted = re.search(rb"/Encrypt\b", data) is not None
        return Recognised(
            MediaType.PDF, (Flaw.of(FlawKind.PDF_ENCRYPTED if encrypted else FlawKind.PDF_DAMAGED),)
        )


def _structure_flaw(data: bytes) -> Flaw | None:
    """What is wrong with the bytes before qpdf makes objects of them."""
    if pdf_start(data) < 0:
        return Flaw.of(FlawKind.PDF_DAMAGED)  # qpdf would read it, and hardly another program
    # ISO 32000-2 section 7.5.5: the last line. qpdf would rebuild a cut-off file from what is there.
    end = data.rfind(b"%%EOF")
    rest = data[max(end, 0) :]
    if _OBJECT.search(rest) and b"startxref" not in rest[-1024:]:
        return Flaw.of(FlawKind.PDF_CUT)
    start, inside = 0, ""
    for number, mark in enumerate(_MARKS.finditer(data)):
        if number > _MAX_MARKS:
            return Flaw.of(FlawKind.PDF_EXPANDS, f"of more than {_MAX_MARKS} objects")
        word = mark.group()
        if inside == "obj" and mark.start() - start > _MAX_OBJECT:
            return Flaw.of(FlawKind.PDF_EXPANDS, f"with one object of {mark.start() - start} bytes")
        if inside != "stream" or word == b"endstream":
            start, inside = mark.end(), word.decode()
    return None


def _read(pdf: Pdf, data: bytes, inspect: Inspect, budget: Budget) -> Recognised:
    tree = _walk(pdf)
    if not tree.pages and not tree.missing:
        return Recognised(MediaType.PDF, (Flaw.of(FlawKind.PDF_NO_PAGES),))
    if len(tree.pages) > MAX_PAGES:
        return Recognised(MediaType.PDF, (Flaw.of(FlawKind.PDF_EXPANDS, f"of more than {MAX_PAGES} pages"),))
    flaws = []
    lost = tree.missing + _without_contents(pdf, tree.pages, data)
    if lost:
        flaws.append(Flaw.of(FlawKind.PDF_PAGES_LOST, f"{lost} of {len(tree.pages) + tree.missing}"))
    acts = list(actions(pdf, tree.pages))
    flaws += [Flaw.of(FlawKind.STARTS_PROGRAM, act.target) for act in acts if act.starts_program]
    for name, content in embedded_files(pdf, tree.pages, budget):
        found = inspect(name, content).flaws
        flaws += [flaw.in_document(name) for flaw in found if flaw.check in _EMBEDDED]
    return Recognised(MediaType.PDF, tuple(dict.fromkeys(flaws)), _notes(acts))


def _notes(acts: list[Action]) -> tuple[Flaw, ...]:
    return (Flaw.of(FlawKind.DOCUMENT_SCRIPT),) if any(act.script for act in acts) else ()


def _walk(pdf: Pdf) -> _Pages:
    """The pages in the tree's order. Bounded: no node twice, no deeper than `_MAX_DEPTH`."""
    tree, seen = _Pages(), set[tuple[int, int]]()
    left = [(pdf.Root.get("/Pages"), 0)]
    while left and len(tree.pages) <= MAX_PAGES:
        node, depth = left.pop()
        if not isinstance(node, Dictionary):
            tree.missing += 1
            continue
        if node.objgen in seen and node.objgen != (0, 0) and "/Kids" in node:
            continue
        seen.add(node.objgen)
        kids = node.get("/Kids")
        if isinstance(kids, Array) and depth < _MAX_DEPTH:
            left += [(kid, depth + 1) for kid in reversed(list(kids)[: MAX_PAGES + 1])]
        else:
            tree.pages.append(node)
    return tree


def _without_contents(pdf: Pdf, pages: list[Dictionary], data: bytes) -> int:
    """How many pages show less than they did: their contents are gone, or zeros stand in their place.

    A page without contents is blank, which is allowed; one that names contents which are not there is not.
    """
    bare = {page.objgen for page in pages if "/Contents" not in page}
    # Only now: qpdf rebuilds its table when it misses the first object.
    rebuilt = any(_REBUILT in str(warning) for warning in pdf.get_warnings())
    holes = [hole.start() for hole, _ in zip(_HOLE.finditer(data), range(_HOLES_SEEN), strict=False)]
    gone = _with_named_contents(data, bare) if rebuilt and bare else set()
    budget, seen = Budget(), set[tuple[int, int]]()
    lost = sum(
        1
        for page in pages
        if page.objgen in gone or (holes and any(_is_broken(one, budget) for one in _streams(page, seen)))
    )
    outside = rebuilt and any(_between_objects(data, hole) for hole in holes)
    return lost or int(outside)


def _with_named_contents(data: bytes, bare: set[tuple[int, int]]) -> set[tuple[int, int]]:
    """Of pages without contents those whose text names some: qpdf passes over what is not there. O(size)."""
    places = {}
    for head in _OBJECT.finditer(data):
        number = (int(head[1]), int(head[2]))
        if number in bare:
            places[number] = head.end()  # of several the last one counts
    texts = {number: data[at : at + _PAGE_TEXT].partition(b"endobj")[0] for number, at in places.items()}
    return {number for number, text in texts.items() if b"/Contents" in text}


def _between_objects(data: bytes, at: int) -> bool:
    """Whether zeros stand where objects should: not in a stream, and not as padding after an end."""
    last = data.rfind(b"stream", 0, at)
    inside = last >= 0 and not data.startswith(b"end", last - 3)
    return (
        not inside
        and not data[max(0, at - 20) : at].rstrip().endswith(b"%%EOF")
        and at < data.rfind(b"%%EOF")
    )


def _streams(page: Dictionary, seen: set[tuple[int, int]]) -> Iterator[Stream]:
    """A page's contents and pictures, without those that another page has as well."""
    contents, resources = page.get("/Contents"), page.get("/Resources")
    pictures = resources.get("/XObject") if isinstance(resources, Dictionary) else None
    streams = list(contents) if isinstance(contents, Array) else [contents]
    if isinstance(pictures, Dictionary) and (pictures.objgen not in seen or pictures.objgen == (0, 0)):
        seen.add(pictures.objgen)
        streams += [picture for _, picture in pictures.items()]
    for stream in streams:
        if isinstance(stream, Stream) and stream.objgen not in seen and len(seen) < MAX_PAGES:
            seen.add(stream.objgen)
            yield stream


def _is_broken(stream: Stream, budget: Budget) -> bool:
    """Whether a stream with zeros in it can't be unpacked."""
    packed = stream.read_raw_bytes()
    filters = _filters(stream)
    if _HOLE.search(packed) is None or len(filters) != 1:
        return not filters and _HOLE.search(packed) is not None and stream.get("/Subtype") is None
    if filters == ["/DCTDecode"]:
        return jpeg_flaw(packed) is not None
    if filters == ["/FlateDecode"]:
        try:
            inflated(packed, budget)
        except zlib.error:
            return True
    return False


def _filters(stream: Stream) -> list[str]:
    filters = stream.get("/Filter")
    items: list[Object] = (
        list(filters) if isinstance(filters, Array) else [filters] if filters is not None else []
    )
    return [str(item) for item in items]
