"""Changed documents, as bytes: what parsers and encoders word differently if they are left to themselves.

A change takes a document's bytes and gives others, the same for the same `random.Random`.
"""

import json
import random
from collections.abc import Callable

from attestlayer.canonical import Json, Members, format_json, parse_json
from support.corpus import change_container, containers

Change = Callable[[bytes, random.Random], bytes]

NUMBERS = (
    *(
        "1.0",
        "1e3",
        "-1",
        "-0",
        "-0.0",
        "01",
        "1.",
        ".5",
        "0.1",
        "1E400",
        "-1e-400",
        "NaN",
        "Infinity",
        "-Infinity",
    ),
    *(
        "9007199254740991",
        "9007199254740992",
        "9007199254740991.4",
        "123456789012345678901234567890",
        "-",
        "+1",
    ),
    *("4_2", "0x10", "1e", "9" * 5000),
)
STRINGS = (
    *(
        r'"\ud800"',
        r'"\udc00\ud800"',
        r'"\ud83d\ude00"',
        r'"\u0041"',
        r'"\/"',
        r'"\u000A"',
        r'"\u000a"',
        r'"\x41"',
    ),
    *(
        '"\x7f"',
        '"\u0080"',
        '"\u2028"',
        '"\ufeff"',
        '"\ufffe"',
        '"\U0001f600"',
        "'a'",
        '"a',
        '"\t"',
        '"\n"',
        '"\0"',
    ),
    *(
        '"it\'s"',
        '"\\"\'"',
        '"\\\\"',
        f'"{"a" * 81}"',
        '"' + "\U0001f600" * 9 + '"',
        '"' + "\U0001f600" * 79 + '"',
        '"\xe9"',
    ),
    *('"constructor"', '"__proto__"', '"toString"', '"PASS"', '"pass"', f'"{"x" * 100_000}"'),
)
VALUES = (
    *('{"10":1,"2":2,"a":3}', '{"2":2,"10":1,"a":3}', "[]", "{}", "null", "true", "false", "[null,true,[0]]"),
    *('{"a":{"9":[],"10":{}}}', '{"__proto__":1}', '{"a":1,"a":2}', '{"b":1,"a":2}', '{"\xe9":1,"\u2028":2}'),
    *(
        '{"\U0001f600":1,"\ufb00":2}',
        '{"\\ud800":1}',
        '{"":0}',
        "[1,]",
        "[,1]",
        '{"a"}',
        '{"a":}',
        '{"a":1,}',
        "{a:1}",
    ),
    *(
        '"' + "\\u0000" * 30 + '"',
        f"[{','.join('0' * 60)}]",
        f'["{"a" * 75}","b"]',
        "// x\n1",
        "undefined",
        "",
    ),
)
NAMES = (
    "__proto__",
    "constructor",
    "toString",
    "length",
    "0",
    "10",
    "9",
    "",
    "schema",
    "\xe9",
    "\u2028",
    "a" * 100,
)
NOT_UTF_8 = (
    *(
        b"\x80",
        b"\xc3",
        b"\xc3(",
        b"\xe2\x82",
        b"\xe0\x80\x80",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xc0\x80",
    ),
    *(b"\xff", b"\xf0\x9f\x98", b"\xf0\x80\x80\x80", b"\xfe\xff", b"\xf8\x88\x80\x80\x80", b"\xef\xbb"),
)
ASTRAL = "\U0001f600\x07".encode()
"""A control character behind one that has two units in UTF-16."""

BRACKETS = (*("[", '{"a":', '[{"a":'),)


def put_value(data: bytes, chance: random.Random) -> bytes:
    """Another value, as text, in place of one."""
    return _with_text(data, chance, chance.choice((*NUMBERS, *STRINGS, *VALUES)))


def nest(data: bytes, chance: random.Random) -> bytes:
    """A value nested deep, closed or left open."""
    times, opening = chance.choice((7, 13, 14, 15, 16, 17, 100, 1_100, 60_000)), chance.choice(BRACKETS)
    closing = "".join("]" if each == "[" else "}" for each in reversed(opening) if each in "[{")
    return _with_text(data, chance, opening * times + chance.choice((f"0{closing * times}", "", '"]}')))


def add_member(data: bytes, chance: random.Random) -> bytes:
    """A member more, in its place by name or not, or one that occurs twice."""
    value = parse_json(data)
    objects = [each for each in containers(value) if isinstance(each, dict)]
    if not objects:
        return data
    place = chance.choice(objects)
    name = chance.choice((*NAMES, *place))
    mark = "\U0010ffff"
    place[mark] = 0
    text = _dump(value, sort=chance.randrange(2) == 0)
    return _encoded(
        text.replace(f'"{mark}":0', f"{json.dumps(name)}:{chance.choice((*NUMBERS[:3], *VALUES[:8]))}", 1)
    )


def rename_member(data: bytes, chance: random.Random) -> bytes:
    value = parse_json(data)
    objects = [each for each in containers(value) if isinstance(each, dict) and each]
    if not objects:
        return data
    place = chance.choice(objects)
    place[chance.choice(NAMES)] = place.pop(chance.choice(sorted(place)))
    return _encoded(_dump(value, sort=True))


def reorder(data: bytes, chance: random.Random) -> bytes:
    """The members of all objects in another order."""

    def shuffled(value: Json) -> Json:
        if isinstance(value, dict):
            names = sorted(value)
            chance.shuffle(names)
            return {name: shuffled(value[name]) for name in names}
        return [shuffled(item) for item in value] if isinstance(value, list) else value

    return _encoded(_dump(shuffled(parse_json(data)), sort=False))


def put_bytes(data: bytes, chance: random.Random) -> bytes:
    """Bytes put in anywhere: spaces, what is no UTF-8, a byte order mark, punctuation."""
    at = chance.choice((0, len(data), chance.randrange(len(data) + 1), chance.randrange(len(data) + 1)))
    more = chance.choice(
        (*NOT_UTF_8, ASTRAL, b" ", b"\n", b"\xef\xbb\xbf", b"\xc2\xa0", b"\0", b",", b'"', b"\\", b"}", b"{}")
    )
    return data[:at] + more + data[at:]


def cut_bytes(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + data[at + chance.choice((1, 1, 2, 20, len(data))) :]


def several_values(data: bytes, chance: random.Random) -> bytes:
    """Several faults at once: all verifiers name the same one."""
    for _ in range(chance.choice((2, 3, 5))):
        changed = chance.choice((put_value, rename_member, add_member))(data, chance)
        try:
            parse_json(changed)
        except ValueError:
            return changed
        data = changed
    return data


def restructure(data: bytes, chance: random.Random) -> bytes:
    """Still canonical, with one to three changes of structure."""
    value = parse_json(data)
    for _ in range(chance.choice((1, 1, 2, 3))):
        change_container(chance.choice(list(containers(value)) or [{}]), chance)
    try:
        return format_json(value)
    except ValueError:
        return data


CHANGES: tuple[Change, ...] = (
    *(restructure, restructure, restructure),
    *(put_value, put_value, put_value, nest, add_member, add_member, rename_member, reorder),
    *(put_bytes, put_bytes, cut_bytes, several_values, several_values),
)


def changed(data: bytes, chance: random.Random) -> bytes:
    """The document with one change, or two of its bytes. Of what is no JSON, only the bytes change."""
    try:
        parse_json(data)
    except ValueError:
        return chance.choice((put_bytes, cut_bytes))(data, chance)
    data = chance.choice(CHANGES)(data, chance)
    return put_bytes(data, chance) if chance.randrange(10) == 0 else data


def _with_text(data: bytes, chance: random.Random, text: str) -> bytes:
    value, mark = parse_json(data), "\U0010ffff"
    places = [each for each in containers(value) if each]
    if not places:
        return _encoded(text)
    place = chance.choice(places)
    at = chance.choice(sorted(place)) if isinstance(place, dict) else chance.randrange(len(place))
    place[at] = mark  # type: ignore[index]
    return _encoded(_dump(value, sort=True).replace(f'"{mark}"', text, 1))


def _dump(value: Json, *, sort: bool) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=sort, separators=(",", ":"))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def members_of(value: Json) -> Members:
    """A document's members, to be changed in place."""
    assert isinstance(value, dict)
    return value


def with_note(receipt: bytes, note: bytes) -> bytes:
    """A registry receipt with another note's text."""
    value = members_of(parse_json(receipt))
    value["note"] = note.decode("utf-8", "replace")
    try:
        return format_json(value)
    except ValueError:
        return receipt
