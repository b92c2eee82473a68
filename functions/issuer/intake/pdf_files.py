"""What a PDF holds and does beside its pages: embedded files and actions."""

import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import pikepdf
from pikepdf import Array, Dictionary, Object, Pdf, Stream

from issuer.intake.programs import is_program_name
from issuer.intake.values import show
from issuer.intake.zipped import Budget

MAX_DECODED = 16 * 1024 * 1024
"""Bytes to which qpdf may unpack one stream: lists of objects, and embedded files in unusual filters."""
_MAX_NOTED = 50_000  # annotations that are looked at
_MAX_CHAIN = 20  # actions that follow one another
_MAX_FILES = 1_000
_MAX_NODES = 5_000  # nodes of the tree of names
_BLOCK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Action:
    """What a PDF does: run JavaScript (`script`), or start `target`."""

    script: bool
    starts_program: bool
    target: str = ""


def actions(pdf: Pdf, pages: list[Dictionary]) -> Iterator[Action]:
    """Actions of the document, its pages and its annotations (ISO 32000-2 section 12.6)."""
    names = pdf.Root.get("/Names")
    if isinstance(names, Dictionary) and "/JavaScript" in names:
        yield Action(script=True, starts_program=False)
    yield from _of(pdf.Root.get("/OpenAction"), opening=True)
    yield from _additional(pdf.Root, opening=True)
    for page in pages:
        yield from _additional(page, opening=True)
    for note in _annotations(pages):
        yield from _of(note.get("/A"), opening=False)
        yield from _additional(note, opening=False)


def embedded_files(pdf: Pdf, pages: list[Dictionary], budget: Budget) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each embedded file (ISO 32000-2 section 7.11.4), of the document and of annotations.

    Raises `ExpandsError`.
    """
    names = pdf.Root.get("/Names")
    tree = names.get("/EmbeddedFiles") if isinstance(names, Dictionary) else None
    specifications = [*_leaves(tree), *(note.get("/FS") for note in _annotations(pages))]
    associated = pdf.Root.get("/AF")
    if isinstance(associated, Array):
        specifications += list(associated)[:_MAX_FILES]
    seen = set[tuple[int, int]]()
    for specification in specifications:
        if not isinstance(specification, Dictionary):
            continue
        files = specification.get("/EF")
        for _, stream in files.items() if isinstance(files, Dictionary) else ():
            if isinstance(stream, Stream) and stream.objgen not in seen and len(seen) < _MAX_FILES:
                seen.add(stream.objgen)
                yield _name(specification), _content(stream, budget)


def inflated(packed: bytes, budget: Budget) -> bytes:
    """The bytes of a Flate stream; what follows its end, or is missing there, does not count.

    Raises `zlib.error`, `ExpandsError`.
    """
    unpacker, blocks = zlib.decompressobj(), []
    rest = packed
    while rest and not unpacker.eof:
        block = unpacker.decompress(rest, _BLOCK)
        budget.spend(len(block))
        blocks.append(block)
        rest = unpacker.unconsumed_tail
    return b"".join(blocks)


def _content(stream: Stream, budget: Budget) -> bytes:
    filters = stream.get("/Filter")
    if isinstance(filters, Array) and len(filters) == 1:
        filters = filters[0]
    packed = stream.read_raw_bytes()
    if filters is None:
        budget.spend(len(packed))
        return packed
    if str(filters) == "/FlateDecode":
        with suppress(zlib.error):
            return inflated(packed, budget)
    content = stream.read_bytes()  # within qpdf's limits
    budget.spend(len(content))
    return content


def _leaves(tree: Object | None) -> Iterator[Object]:
    """The values of a tree of names (ISO 32000-2 section 7.9.6)."""
    left, nodes = [tree], 0
    while left and nodes < _MAX_NODES:
        node, nodes = left.pop(), nodes + 1
        if not isinstance(node, Dictionary):
            continue
        names, kids = node.get("/Names"), node.get("/Kids")
        if isinstance(names, Array):
            yield from list(names)[1 : 2 * _MAX_FILES : 2]
        if isinstance(kids, Array):
            left += list(kids)[:_MAX_NODES]


def _annotations(pages: list[Dictionary]) -> Iterator[Dictionary]:
    number = 0
    for page in pages:
        notes = page.get("/Annots")
        for note in notes if isinstance(notes, Array) else ():
            number += 1
            if number > _MAX_NOTED:
                return
            if isinstance(note, Dictionary):
                yield note


def _additional(holder: Object, *, opening: bool) -> Iterator[Action]:
    extra = holder.get("/AA")
    for _, action in extra.items() if isinstance(extra, Dictionary) else ():
        yield from _of(action, opening=opening)


def _of(action: Object | None, *, opening: bool) -> Iterator[Action]:
    """An action and those that follow it. A link that opens a document when clicked starts no program."""
    left, number = [action], 0
    while left and number < _MAX_CHAIN:
        one, number = left.pop(), number + 1
        if isinstance(one, Array):
            left += list(one)[:_MAX_CHAIN]
        if not isinstance(one, Dictionary):
            continue
        kind = one.get("/S")
        if kind == pikepdf.Name.JavaScript:
            yield Action(script=True, starts_program=False)
        elif kind == pikepdf.Name.Launch:
            target = _target(one)
            program = opening or is_program_name(target) or _has_parameters(one)
            yield Action(script=False, starts_program=program, target=show(target))
        left.append(one.get("/Next"))


def _target(action: Dictionary) -> str:
    for holder in (action.get("/Win"), action):
        file = holder.get("/F") if isinstance(holder, Dictionary) else None
        if isinstance(file, Dictionary):
            return _name(file)
        if file is not None:
            return str(file)
    return ""


def _has_parameters(action: Dictionary) -> bool:
    windows = action.get("/Win")
    return isinstance(windows, Dictionary) and "/P" in windows


def _name(specification: Dictionary) -> str:
    for key in ("/UF", "/F"):
        name = specification.get(key)
        if isinstance(name, pikepdf.String):
            return str(name)
    return "file"
