"""The single file's stand-ins are equal to what they stand for: cryptography and rfc8785."""

import dataclasses
import enum
import itertools
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attestlayer import ed25519, jcs
from attestlayer.canonical import format_json
from attestlayer.keys import PrivateKey, PublicKey
from issuer.release.standins import ed25519 as own
from issuer.release.standins import jcs as own_jcs
from issuer.release.standins import older
from support.foreign import BASE, RFC_8032, SIGNATURES, SMALL_ORDER, L, SignatureCase, add, encode, multiply
from support.refused import refuse_ed25519

KINDS = ["S + L", "S = L", "S = 0", "S = L - 1", "R of small order", "random"]
bytes_32 = st.binary(min_size=32, max_size=32)
torsion = [data for _, data in SMALL_ORDER[:8]]


def same(public: bytes, signature: bytes, message: bytes) -> bool:
    """What both say, which has to be one thing."""
    found = own.check_signature_here(public, signature, message)
    assert found == ed25519.check_signature(public, signature, message)
    return found


@pytest.mark.parametrize("case", SIGNATURES, ids=lambda case: case.comment)
def test_takes_a_signature_or_refuses_it(case: SignatureCase) -> None:
    assert same(case.public, case.signature, case.message) == case.valid


@settings(max_examples=60, deadline=None)
@given(bytes_32, st.binary(max_size=200))
def test_every_signature_of_cryptography_verifies(seed: bytes, message: bytes) -> None:
    key = PrivateKey(seed)
    assert same(key.public.data, key.sign(message), message)


@settings(max_examples=60, deadline=None)
@given(bytes_32, st.binary(max_size=50), st.integers(0, 511), st.integers(0, 2))
def test_a_changed_bit_of_a_signature_key_or_message_is_refused_alike(
    seed: bytes, message: bytes, bit: int, where: int
) -> None:
    key = PrivateKey(seed)
    parts = [key.public.data, key.sign(message), message or b"\0"]
    flipped = bytearray(parts[where])
    flipped[bit // 8 % len(flipped)] ^= 1 << bit % 8
    parts[where] = bytes(flipped)
    try:
        PublicKey(parts[0])
    except ValueError:
        return  # neither is ever asked: `keys` refuses the key
    assert not same(parts[0], parts[1], parts[2]) or (where == 2 and not message)


@settings(max_examples=60, deadline=None)
@given(
    bytes_32,
    st.sampled_from(["S + L", "S = L", "S = 0", "S = L - 1", "R of small order", "random"]),
    st.data(),
)
def test_malicious_signatures_are_judged_alike(seed: bytes, kind: str, data: st.DataObject) -> None:
    key, message = PrivateKey(seed), data.draw(st.binary(max_size=20))
    r, s = key.sign(message)[:32], int.from_bytes(key.sign(message)[32:], "little")
    changed = {
        "S + L": r + (s + L).to_bytes(32, "little"),
        "S = L": r + L.to_bytes(32, "little"),
        "S = 0": r + bytes(32),
        "S = L - 1": r + (L - 1).to_bytes(32, "little"),
        "R of small order": data.draw(st.sampled_from(torsion)) + s.to_bytes(32, "little"),
        "random": data.draw(st.binary(min_size=64, max_size=64)),
    }
    assert not same(key.public.data, changed[kind], message)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, L - 1), st.integers(1, 7), st.binary(max_size=20))
def test_keys_of_mixed_order_are_judged_alike(scalar: int, n: int, message: bytes) -> None:
    """A = a·B + a point of small order: here only the equation without the cofactor is strict."""
    small = [own._decode(t)[:2] if t not in _X_IS_0 else _X_IS_0[t] for t in torsion]
    public = encode(add(multiply(scalar, BASE), small[n]))
    for r in (1, 2):
        r_data = encode(multiply(r, BASE))
        k = own.hashlib.sha512(r_data + public + message).digest()
        s = (r + int.from_bytes(k, "little") % L * scalar) % L
        same(public, r_data + s.to_bytes(32, "little"), message)


_X_IS_0 = {encode(point): point for point in ((0, 1), (0, 2**255 - 20))}


@pytest.mark.parametrize("length", [0, 32, 63, 65])
def test_a_signature_has_64_bytes(length: int) -> None:
    assert not same(bytes.fromhex(RFC_8032[0][1]), bytes(length), b"")


def test_cryptography_is_used_where_it_is_and_not_missed_where_it_is_not(tmp_path: Path) -> None:
    source = Path(own.__file__).read_text()
    (tmp_path / "standin.py").write_text(source)
    public, message, signature = RFC_8032[1][1:]
    script = (
        f"import sys; sys.path[:0] = [{str(tmp_path)!r}]; import standin\n"
        f"print(standin.check_signature(*map(bytes.fromhex, {(public, signature, message)!r})))\n"
        "print('cryptography' in sys.modules)\n"
    )
    for options, used in (((), "True"), (("-S",), "False")):
        done = subprocess.run(
            [sys.executable, *options, "-c", script], capture_output=True, text=True, check=True
        )
        assert done.stdout.split() == ["True", used]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2**53 - 1) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(max_codepoint=127), max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=400, deadline=None)
@given(json_values)
def test_canonical_bytes_are_rfc8785s(value: object) -> None:
    try:
        format_json(value)
    except ValueError:
        return  # deeper than the profile
    assert own_jcs.format_jcs(value) == jcs.format_jcs(value)


def test_every_character_is_written_as_rfc8785_writes_it() -> None:
    text = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x11000), 0x1F600, 0x10FFFF]))
    assert own_jcs.format_jcs([text]) == jcs.format_jcs([text])


def test_member_names_of_every_ascii_character_are_in_one_order() -> None:
    value = {chr(n): n for n in range(127, -1, -1)} | {"ab": 1, "a": 2, "A": 3, "": 4}
    assert own_jcs.format_jcs(value) == jcs.format_jcs(value)


class Word(older.StrEnum):
    ONE = "one"


class TheirWord(enum.StrEnum):
    ONE = "one"


def test_string_members_behave_as_the_standard_librarys() -> None:
    for kind in (Word, TheirWord):
        word = kind("one")
        assert (str(word), f"{word}", word == "one", word.value, word in {"one"}) == (
            "one",
            "one",
            True,
            "one",
            True,
        )
        with pytest.raises(ValueError, match=f"'two' is not a valid {kind.__name__}"):
            kind("two")


def test_pairs_and_dataclasses_are_the_standard_librarys() -> None:
    for items in ([], [1], [1, 2, 3]):
        assert list(older.pairwise(items)) == list(itertools.pairwise(items))

    @older.dataclass(frozen=True, slots=True)
    class Point:
        x: int

    assert Point(1) == Point(1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        Point(1).x = 2  # type: ignore[misc]


def test_a_library_that_refuses_ed25519_leaves_it_to_the_stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_ed25519(monkeypatch)
    for case in SIGNATURES:
        assert own.check_signature(case.public, case.signature, case.message) == case.valid
