"""The verifier in one file, `verify.py`: the core's own modules, one after the other, as they are written.

Every definition that `attestlayer.cli.standalone.main` needs is copied with its comments. Imports within the
project are left out, since all definitions share one namespace. Two definitions of one name are an error, to
be corrected in the sources, and so is a statement that is no definition. Code is changed in two ways only:
`module.name` becomes `name`, and type aliases go below `if TYPE_CHECKING:`, since no running code reads them
and older Pythons can't.
"""

import ast
import builtins
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field

PACKAGE = "attestlayer"
ENTRY = ("cli.standalone", "main")
STANDINS = ("ed25519", "jcs", "older")
"""Modules of `issuer.release.standins`; the first two replace the core's modules of the same name."""

_OLDER = {
    ("dataclasses", "dataclass"): "dataclass",
    ("datetime", "UTC"): "UTC",
    ("enum", "StrEnum"): "StrEnum",
    ("itertools", "pairwise"): "pairwise",
}
"""Names that the stand-in `older` defines in place of the standard library: Python 3.8 lacks them."""

_WIDTH = 110
_ALIAS_OF = frozenset({"Callable", "dict", "list", "tuple"})

_HEAD = '''\
#!/usr/bin/env python3
# -*- coding: utf-8 -*-
"""verify.py {version}: checks AttestLayer evidence kits, offline, with Python alone.

    python3 -I -S verify.py KIT [--trust trust.json] [--json]
    python3 -I -S verify.py --help

KIT is a ZIP file or a folder. The trust root says whose signatures count; without --trust it is trust.json
beside this file. It never comes with a kit: take it from somebody you trust, and compare its registry key.
-I and -S keep everything out that is not Python's own: other folders' modules, installed packages.
The verdict is VERIFIED (exit code 0), NOT VERIFIED (3) or COULD NOT CHECK (2).

What this is: the verifier `attestlayer`, version {version}, in one file, for Python 3.8 or newer. It needs
no package and opens no connection. It says word for word what the command `attestlayer verify` says.

How it was made: issuer/release/single_file.py put the modules of the package one behind the other, as
they are written, leaving out what a verifier does not need. The same sources make the same bytes. Three
modules stand in for others, which need more than the standard library: {standins}. Signatures
are checked by the package `cryptography` where it is installed (never with -S), else by RFC 8032's
formulas as they stand below.

How to read it: from the end. `main` runs a command; `explain` makes fifteen steps; each step is a function
that yields what it finds; every document has a parser, which takes one spelling only. Comments name
sections of RFCs and of REG-1.0, the registry's specification (/v1/spec/REG-1.0.md).

{boundary}
"""

import sys

if sys.version_info < (3, 8):
    SAID = "verify.py needs Python 3.8 or newer, this is %d.%d: no statement about the kit\\n"
    sys.stderr.write(SAID % sys.version_info[:2])
    sys.exit(2)

# All of the verifier is the text below, in one string. A Python that is too old could not read it as code: it
# would exit with 1 and a syntax error before the lines above could run.
SOURCE = r{quotes}
'''
_TAIL = """
{quotes}

exec(compile("\\n" * {above} + SOURCE, __file__, "exec"))

if __name__ == "__main__":
    sys.exit(main())
"""
_QUOTES = "'" * 3
_MARK = re.compile(r"  # (?:noqa|type: ignore)[^\n]*")
"""Comments for the project's own tools, which mean nothing to a reader of verify.py."""
_RULE = "# " + "=" * (_WIDTH - 2)


class BuildError(Exception):
    """The sources can't be joined into one file; the message says what to change in them."""


@dataclass(frozen=True, slots=True)
class _Unit:
    """One top-level statement with the comment above it and, after a constant, its docstring."""

    text: str
    defines: frozenset[str]
    uses: frozenset[str]


@dataclass
class _Module:
    """A parsed module, with its imports by name.

    `names`: the core module that each name comes from; `modules`: core modules imported whole; `external`:
    import statements of other libraries.
    """

    name: str
    doc: str
    units: list[_Unit] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)
    external: dict[str, str] = field(default_factory=dict)

    def needs(self) -> list[str]:
        """The core modules that it imports from, sorted, so that the file's order is always the same."""
        return sorted({*self.names.values(), *self.modules.values()})


def make_single_file(sources: Mapping[str, str], version: str, boundary: str) -> str:
    """The text of verify.py, a pure function of its arguments. Takes about 0.2 s.

    `sources`: each core module's text by its dotted name, stand-ins in place of theirs. Raises `BuildError`.
    """
    modules = {name: _parse_module(name, text, sources.keys()) for name, text in sources.items()}
    order = _in_order(modules, ENTRY[0])
    kept = _reached(modules)
    _check_names(modules, kept)
    words = ", ".join(f"`{name}`" for name in STANDINS)
    head = _HEAD.format(version=version, boundary=boundary, standins=words, quotes=_QUOTES)
    parts = ["from __future__ import annotations\n", *_imports(modules, kept)]
    parts += [_section(modules[name], kept) for name in order if any(at == name for at, _ in kept)]
    source = "\n".join(parts)
    if _QUOTES in source or source.endswith("\\"):
        raise BuildError(f"a module holds {_QUOTES}: verify.py is one string between two of them")
    # As many lines as stand above the string, so that a traceback names this file's lines.
    return head + source + _TAIL.format(quotes=_QUOTES, above=head.count("\n") - 1)


def _parse_module(name: str, text: str, known: Set[str]) -> _Module:
    tree, lines = ast.parse(text), text.splitlines(keepends=True)
    module = _Module(name, ast.get_docstring(tree) or "")
    end = 0
    # A unit is every line from the end of the previous statement on: so a comment goes with the statement
    # below it, and its text is copied without being formatted again.
    for place, statement in enumerate(tree.body):
        begin, end = end, statement.end_lineno or 0
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            _read_import(module, statement, known)
        elif _is_text(statement):
            if place and module.units:
                _lengthen(module, "".join(lines[begin:end]))
        else:
            _check_statement(module, statement)
            module.units.append(_unit(module, statement, "".join(lines[begin:end])))
    return module


def _read_import(module: _Module, statement: ast.Import | ast.ImportFrom, known: Set[str]) -> None:
    if any(alias.asname for alias in statement.names):
        raise BuildError(f"{module.name}: an import under another name, line {statement.lineno}")
    for alias in statement.names:
        if isinstance(statement, ast.Import):
            module.external[alias.name] = f"import {alias.name}"
        elif (statement.module or "").split(".")[0] == PACKAGE:
            home = (statement.module or "").removeprefix(PACKAGE).removeprefix(".")
            whole = f"{home}.{alias.name}".removeprefix(".")
            if whole in known:
                module.modules[alias.name] = whole
            else:
                module.names[alias.name] = home
        elif (statement.module, alias.name) in _OLDER and module.name != "older":
            module.names[alias.name] = "older"
        else:
            module.external[alias.name] = f"from {statement.module} import {alias.name}"


def _is_text(statement: ast.stmt) -> bool:
    """Whether it is a string alone: the module's docstring, or that of the constant above it."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _lengthen(module: _Module, text: str) -> None:
    """Add a docstring to the constant above it."""
    last = module.units[-1]
    indented = re.sub(r"^(?=.)", "    ", text, flags=re.MULTILINE) if "TYPE_CHECKING" in last.uses else text
    module.units[-1] = _Unit(last.text + indented, last.defines, last.uses)


def _check_statement(module: _Module, statement: ast.stmt) -> None:
    if not isinstance(statement, (ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign)):
        raise BuildError(f"{module.name}: line {statement.lineno} is no definition")
    for node in ast.walk(statement):
        if isinstance(node, (ast.Import, ast.ImportFrom)) and module.name not in STANDINS:
            raise BuildError(f"{module.name}: an import within a definition, line {node.lineno}")


def _unit(module: _Module, statement: ast.stmt, text: str) -> _Unit:
    uses = set(_names_of(statement))
    # A module imported whole is no object in one file: its prefix is dropped, and the name after it is used.
    for alias in module.modules:
        pattern = re.compile(rf"\b{alias}\.(\w+)")
        uses |= set(pattern.findall(text)) if alias in uses else set()
        text = pattern.sub(r"\1", text)
    defined = frozenset(_defined(statement))
    if _is_type_alias(statement):
        comment, _, code = text.rpartition("\n\n")
        indented = "".join(f"    {line}\n" for line in code.splitlines() if line)
        text = f"{comment}\n\nif TYPE_CHECKING:\n{indented}"
        uses.add("TYPE_CHECKING")
    return _Unit(text, defined, frozenset(uses))


def _defined(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        yield statement.name
    targets: list[ast.expr] = statement.targets if isinstance(statement, ast.Assign) else []
    if isinstance(statement, ast.AnnAssign):
        targets = [statement.target]
    yield from (node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name))


def _names_of(node: ast.AST) -> Iterator[str]:
    """Every name that the code uses, those in annotations written as strings included."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            yield inner.id
        for part in (getattr(inner, "annotation", None), getattr(inner, "returns", None)):
            for text in ast.walk(part) if part else ():
                if isinstance(text, ast.Constant) and isinstance(text.value, str):
                    yield from _names_of(ast.parse(text.value, mode="eval"))


def _is_type_alias(statement: ast.stmt) -> bool:
    """Whether it is an alias such as `list[int]` or `A | B`, which Python 3.8 can't evaluate."""
    if not isinstance(statement, ast.Assign):
        return False
    value = statement.value
    if isinstance(value, ast.Subscript):
        return isinstance(value.value, ast.Name) and value.value.id in _ALIAS_OF
    return isinstance(value, ast.BinOp) and isinstance(value.op, ast.BitOr) and not _has_call(value)


def _has_call(value: ast.expr) -> bool:
    return any(isinstance(node, (ast.Call, ast.Attribute)) for node in ast.walk(value))


def _in_order(modules: Mapping[str, _Module], root: str) -> list[str]:
    """Names of the modules that `root` needs, each after those that it needs itself."""
    order: list[str] = []

    def visit(name: str) -> None:
        if name not in order:
            for other in modules[name].needs():
                visit(other)
            order.append(name)

    visit(root)
    return order


Place = tuple[str, int]
"""A unit: its module's name and its number there."""


def _reached(modules: Mapping[str, _Module]) -> set[Place]:
    """The units that the entry point needs, directly or through others."""
    homes = {
        (module.name, name): (module.name, number)
        for module in modules.values()
        for number, unit in enumerate(module.units)
        for name in unit.defines
    }
    waiting, kept = [homes[ENTRY]], set[Place]()
    while waiting:
        place = waiting.pop()
        if place in kept:
            continue
        kept.add(place)
        module = modules[place[0]]
        homes_of = (module.name, *module.modules.values())
        # A name that is defined nowhere is a local variable or a built-in: too many kept units do no harm, a
        # missing one would fail in `_imports` or in the tests of the built file.
        for name in module.units[place[1]].uses:
            keys = [(module.names[name], name)] if name in module.names else [(at, name) for at in homes_of]
            places = [homes[key] for key in keys if key in homes]
            if name in module.names and not places:
                raise BuildError(f"{module.name} imports {name}, which {module.names[name]} does not define")
            waiting += places
    return kept


def _check_names(modules: Mapping[str, _Module], kept: Iterable[Place]) -> None:
    """Check that no two kept units define one name, and none a built-in or imported one.

    Raises `BuildError`.
    """
    seen: dict[str, Place] = {}
    imported = {name for module in modules.values() for name in module.external}
    for at, number in sorted(kept):
        unit = modules[at].units[number]
        for name in unit.defines:
            if name in imported or hasattr(builtins, name):
                raise BuildError(f"{at} defines {name}, which is Python's: rename it")
            if name in seen and modules[seen[name][0]].units[seen[name][1]].text.strip() != unit.text.strip():
                raise BuildError(f"{at} and {seen[name][0]} both define {name}: rename one")
            seen.setdefault(name, (at, number))


def _imports(modules: Mapping[str, _Module], kept: Iterable[Place]) -> Iterator[str]:
    """The import statements that the kept units need, sorted. Raises `BuildError` for a foreign package."""
    whole, parts = {"import sys"}, {"typing": {"TYPE_CHECKING"}}
    for at, number in kept:
        module = modules[at]
        for name in module.units[number].uses & module.external.keys():
            statement = module.external[name]
            if statement.startswith("import "):
                whole.add(statement)
            else:
                parts.setdefault(statement.split()[1], set()).add(name)
    for top in [*(statement.split()[1] for statement in whole), *parts]:
        if top.split(".")[0] not in sys.stdlib_module_names:
            raise BuildError(f"{top} is not of the standard library")
    yield from sorted(whole)
    yield from (f"from {source} import {', '.join(sorted(parts[source]))}" for source in sorted(parts))


def _section(module: _Module, kept: set[Place]) -> str:
    """A module's banner, with its docstring as a comment, and its kept units."""
    origin = "issuer/release/standins" if module.name in STANDINS else PACKAGE
    banner = [f"{origin}/{module.name.replace('.', '/')}.py", *module.doc.splitlines()]
    lines = ["", "", _RULE, *(f"# {line}".rstrip() for line in banner), _RULE, "", ""]
    texts = [unit.text for number, unit in enumerate(module.units) if (module.name, number) in kept]
    return "\n".join(lines) + _MARK.sub("", "".join(texts)).strip("\n")
