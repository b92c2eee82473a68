"""Regular expressions of the product and the steps that a backtracking engine takes for them, counted.

`steps` walks a pattern as such engines do, one character's comparison a step: no clock decides anything.
"""

import ast
import importlib
import itertools
import math
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

ROOT = Path(__file__).parents[2]
_UNANCHORED = ("search", "finditer", "findall", "sub", "subn", "split")
_UNKNOWN = "\u2400"  # a character that no pattern names

Then = Callable[[int], bool]


@dataclass(frozen=True)
class Expression:
    """A pattern, where it stands, and whether it is looked for anywhere in a text."""

    place: str
    pattern: str
    anywhere: bool
    flags: int = 0


@dataclass(frozen=True)
class _Repeat:
    kind: Any
    least: int
    most: int
    body: list[Any]
    then: Then


_SINGLE = (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN)
_PATIENCE = 150
"""Steps a character after which a walk ends: a quadratic expression needs no more to be known for one."""


class _Weary(Exception):  # noqa: N818
    """So many steps that no more have to be counted."""


class _Walk:
    """One attempt at a pattern over a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.steps = 0

    def step(self) -> None:
        self.steps += 1
        if self.steps > _PATIENCE * (len(self.text) + 9):
            raise _Weary

    def sequence(self, nodes: list[Any], index: int, at: int, then: Then) -> bool:
        if index == len(nodes):
            return then(at)
        return self.node(nodes[index], at, lambda end: self.sequence(nodes, index + 1, end, then))

    def node(self, node: Any, at: int, then: Then) -> bool:
        kind, value = node
        if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            return self.repeat(kind, value, at, then)
        if kind is sre.SUBPATTERN:
            return self.sequence(list(value[-1]), 0, at, then)
        if kind is sre.BRANCH:
            return any(self.sequence(list(branch), 0, at, then) for branch in value[1])
        if kind in (sre.ASSERT, sre.ASSERT_NOT):
            direction, nodes = value
            inside = any(
                self.sequence(list(nodes), 0, start, lambda end: direction > 0 or end == at)
                for start in ([at] if direction > 0 else range(max(0, at - 1), at))
            )
            return inside == (kind is sre.ASSERT) and then(at)
        if kind is sre.AT:
            self.step()
            return self.stands(value, at) and then(at)
        self.step()
        return at < len(self.text) and _is_one(node, self.text[at]) and then(at + 1)

    def stands(self, where: Any, at: int) -> bool:
        if where in (sre.AT_BEGINNING, sre.AT_BEGINNING_STRING):
            return at == 0
        if where in (sre.AT_END, sre.AT_END_STRING):
            return at == len(self.text)
        return True  # a boundary: only makes more steps

    def repeat(self, kind: Any, value: Any, at: int, then: Then) -> bool:
        least, most, nodes = value
        body = list(nodes)
        if len(body) == 1 and body[0][0] in _SINGLE:
            return self.run(kind, body[0], (least, most), at, then)
        if kind is sre.POSSESSIVE_REPEAT:
            return then(self.farthest(body, at))
        return self.again(_Repeat(kind, least, most, body, then), 0, at)

    def again(self, repeat: "_Repeat", count: int, at: int) -> bool:
        def more(end: int) -> bool:
            return (end > at or count < repeat.least) and self.again(repeat, count + 1, end)

        def once_more() -> bool:
            return count < repeat.most and self.sequence(repeat.body, 0, at, more)

        def enough() -> bool:
            return count >= repeat.least and repeat.then(at)

        if repeat.kind is sre.MIN_REPEAT:
            return enough() or once_more()
        return once_more() or enough()

    def farthest(self, body: list[Any], at: int) -> int:
        """The end of as many bodies in a row as there are, none of them given back."""
        while True:
            end = _end(self, body, at)
            if end is None or end == at:
                return at
            at = end

    def run(self, kind: Any, one: Any, bounds: tuple[Any, Any], at: int, then: Then) -> bool:
        """A run of single characters, given back one by one."""
        least, most = bounds
        end = at
        while end < len(self.text) and (most is sre.MAXREPEAT or end - at < most):
            self.step()
            if not _is_one(one, self.text[end]):
                break
            end += 1
        places = range(end, at + least - 1, -1)
        if kind is sre.POSSESSIVE_REPEAT:
            return end >= at + least and then(end)
        return any(then(place) for place in (reversed(places) if kind is sre.MIN_REPEAT else places))


def _is_one(node: Any, character: str) -> bool:
    kind, value = node
    code = ord(character)
    if kind is sre.LITERAL:
        return bool(code == value)
    if kind is sre.NOT_LITERAL:
        return bool(code != value)
    if kind is sre.ANY:
        return character != "\n"
    assert kind is sre.IN, node
    negated = value[0][0] is sre.NEGATE
    return any(_is_in(item, character) for item in value[negated:]) != negated


def _is_in(item: Any, character: str) -> bool:
    kind, value = item
    if kind is sre.LITERAL:
        return bool(ord(character) == value)
    if kind is sre.RANGE:
        return bool(value[0] <= ord(character) <= value[1])
    assert kind is sre.CATEGORY, item
    classes = {
        sre.CATEGORY_SPACE: str.isspace,
        sre.CATEGORY_WORD: str.isalnum,
        sre.CATEGORY_DIGIT: str.isdigit,
    }
    if value in classes:
        return classes[value](character)
    opposite = {sre.CATEGORY_NOT_SPACE: str.isspace, sre.CATEGORY_NOT_WORD: str.isalnum}
    return not opposite.get(value, str.isdigit)(character)


def steps(expression: Expression, text: str) -> float:
    """Steps of a backtracking engine: matches are sought one after the other, or one of the whole text."""
    nodes = list(parser.parse(expression.pattern, expression.flags))
    walk, at = _Walk(text), 0
    try:
        if not expression.anywhere:
            walk.sequence(nodes, 0, 0, lambda end: end == len(text))
        while expression.anywhere and at <= len(text):
            end = _end(walk, nodes, at)
            at = at + 1 if end is None else max(end, at + 1)
    except _Weary:
        return math.inf
    return walk.steps


def _end(walk: _Walk, nodes: list[Any], at: int) -> int | None:
    ends: list[int] = []

    def accept(end: int) -> bool:
        ends.append(end)
        return True

    walk.sequence(nodes, 0, at, accept)
    return ends[0] if ends else None


def hostile_texts(expression: Expression, length: int) -> Iterator[str]:
    """Texts that repeat what the pattern is made of, with something before and something wrong behind."""
    nodes = parser.parse(expression.pattern, expression.flags)
    named, literal = list(dict.fromkeys(_characters(nodes))), _literal(nodes)
    alphabet = {*named[:: max(1, len(named) // 6)], *named[:3], *literal[:1], *literal[-1:], _UNKNOWN}
    pairs = itertools.permutations(named[:4], 2)
    pumps = {*alphabet, *map("".join, pairs), literal}
    for prefix, pump, suffix in itertools.product(
        ("", literal, _UNKNOWN), sorted(pumps), ("", _UNKNOWN, "\n")
    ):
        yield prefix + pump * (length // (len(pump) or 1) + length // 14) + suffix


def _parts(node: Any) -> list[Any]:
    """The patterns within a node."""
    kind, value = node
    if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
        return [value[2]]
    if kind is sre.SUBPATTERN:
        return [value[-1]]
    if kind in (sre.ASSERT, sre.ASSERT_NOT):
        return [value[1]]
    return list(value[1]) if kind is sre.BRANCH else []


def _characters(nodes: Any) -> Iterator[str]:
    """A character of each class and each literal."""
    for node in nodes:
        kind, value = node
        for item, inner in value if kind is sre.IN else [node]:
            if item in (sre.LITERAL, sre.NOT_LITERAL):
                yield chr(inner)
            elif item is sre.RANGE:
                yield chr(inner[0])
            elif item is sre.CATEGORY:
                yield from " 0a"
        for part in _parts(node):
            yield from _characters(part)


def _literal(nodes: Any) -> str:
    """A text of the pattern's own: of branches the first, of classes one character."""
    text = ""
    for node in nodes:
        parts = _parts(node)
        if parts:
            text += _literal(parts[0])
        elif node[0] is not sre.IN or node[1][0][0] is not sre.NEGATE:
            text += next(_characters([node]), "")
    return text


def python_expressions() -> list[Expression]:
    """Every pattern that a module of the product holds or writes in a call."""
    found = []
    for package in ("attestlayer", "issuer"):
        top = importlib.import_module(package)
        for each in pkgutil.walk_packages(top.__path__, f"{package}."):
            if each.name.endswith("__main__"):
                continue
            module = importlib.import_module(each.name)
            source = Path(str(module.__file__)).read_text(encoding="utf-8")
            found += [
                Expression(f"{each.name}.{name}", _text(value.pattern), _is_sought(source, name), value.flags)
                for name, value in vars(module).items()
                if isinstance(value, re.Pattern)
                and re.search(rf"^{name}\b[^=\n]*= re\.compile", source, re.M)
            ]
            found += _in_calls(each.name, source)
    return found


def _text(pattern: str | bytes) -> str:
    return pattern if isinstance(pattern, str) else pattern.decode("latin-1")


def _is_sought(source: str, name: str) -> bool:
    uses = re.findall(rf"\b{name}\.(\w+)", source)
    return not uses or any(use in _UNANCHORED for use in uses)


def _in_calls(module: str, source: str) -> Iterator[Expression]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            of_re = isinstance(node.func.value, ast.Name) and node.func.value.id == "re"
            first = node.args[0]
            if of_re and node.func.attr != "compile" and isinstance(first, ast.Constant):
                assert isinstance(first.value, str | bytes)
                yield Expression(f"{module}:{node.lineno}", _text(first.value), node.func.attr in _UNANCHORED)


_BODY = r"/((?:[^/\\\[\n*]|\\.|\[(?:[^\]\\\n]|\\.)*\])(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])*)/[a-z]*"
_JS = re.compile(r"(?:(?<=[=:?] )|(?<=[(!]))" + _BODY)


def js_expressions() -> list[Expression]:
    """Every regular expression of the pages' modules, as Python would write it."""
    return [
        Expression(f"{path.name}:{number}", _as_python(match[1]), anywhere=True)
        for path in sorted((ROOT / "site/assets").rglob("*.js"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for match in _JS.finditer(line)
    ]


def _as_python(pattern: str) -> str:
    pattern = pattern.replace("[^]", r"[\s\S]").replace(r"\/", "/")
    # Unicode classes of one character, which Python lacks: which characters they hold changes no count.
    return re.sub(r"\\P\{\w+\}", r"\\S", re.sub(r"\\p\{\w+\}", r"\\s", pattern))
