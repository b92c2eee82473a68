"""Signed notes, verifier keys and cosignatures, against values that other implementations took."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestlayer.encoding import format_base64
from attestlayer.errors import FormatError, Reason
from attestlayer.keys import PrivateKey
from attestlayer.log.checkpoint import parse_note_body
from attestlayer.log.note import (
    COSIGNATURE,
    ED25519,
    MAX_SIGNATURES,
    Note,
    Signature,
    VerifierKey,
    append_signatures,
    cosignature_time,
    parse_note,
    parse_verifier_key,
    signature_verifies,
    signatures_by,
)
from support.notes import cosign_note, sign_note

# Each was accepted by a published implementation of the signed-note and cosignature formats.
LOG_KEY = "example.org/log+98af023b+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
CHECKPOINT = (
    "example.org/log\n257\nXB/f6DU1gCLyOS3keNvgU/wTDP4dOggoeakM9r8Uv34=\n\n"
    "— example.org/log mK8CO4Qv1hN/sS41SGGW4jqz/dkr1C/1lrW4tnj2HLBnPzrqq8ugKrgulWgQnZD9PSDrxdjTk42s"
    "k6SPHgLBjBraLQw=\n"
)
WITNESS_KEY = "witness.example.org/w1+f3c080b6+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X"
COSIGNATURE_LINE = (
    "— witness.example.org/w1 88CAtgAAAABlU/EAjhCDqEICnyalZ8mf3hQzBpZZhr6Tx7Q9P33L4eApjgdvZf9jXoLaJIzFF6i1"
    "95ZGim2UCNQR1Tojcx5G2IN4Dw==\n"
)
LOG = VerifierKey("example.org/log", ED25519, PrivateKey(bytes(range(32))).public)
WITNESS_PRIVATE = PrivateKey(bytes(range(32, 64)))
WITNESS = VerifierKey("witness.example.org/w1", COSIGNATURE, WITNESS_PRIVATE.public)


def test_a_verifier_key_is_written_as_others_write_it() -> None:
    assert LOG.format() == LOG_KEY
    assert WITNESS.format() == WITNESS_KEY


@pytest.mark.parametrize(
    "text", [LOG_KEY, WITNESS_KEY, "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"]
)
def test_a_verifier_key_is_read_as_it_was_written(text: str) -> None:
    # The third is the C2SP signed-note specification's own example.
    assert parse_verifier_key(text).format() == text


@pytest.mark.parametrize(
    "text",
    [
        LOG_KEY.replace("98af023b", "98AF023B"),
        LOG_KEY.replace("98af023b", "98af023c"),
        LOG_KEY.replace("98af023b", "0098af023b"),
        LOG_KEY + "=",
        LOG_KEY[:-1],
        LOG_KEY.replace("+", "-"),
        LOG_KEY.replace("/log", "/ log"),
        LOG_KEY + "\n",
        "+98af023b+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
        "example.org/log",
        "",
        "a+b",
        "a+b+",
        f"a+00000000+{format_base64(bytes([2]) + LOG.public.data)}",  # ECDSA's type
        f"a+00000000+{format_base64(bytes([1]) + bytes(32))}",  # of small order
    ],
)
def test_what_is_no_verifier_key(text: str) -> None:
    with pytest.raises(ValueError, match=r"verifier key|base64|key name|public key"):
        parse_verifier_key(text)


def test_a_checkpoint_of_another_implementation_verifies() -> None:
    note = parse_note(CHECKPOINT)
    (line,) = signatures_by(note, LOG)
    assert signature_verifies(note.text, line, LOG)
    assert note.format() == CHECKPOINT
    assert sign_note(note.text, LOG, PrivateKey(bytes(range(32)))) == line
    body = parse_note_body(note.text)
    assert (body.origin, body.head.size) == ("example.org/log", 257)


def test_a_cosignature_of_another_implementation_verifies() -> None:
    note = parse_note(CHECKPOINT + COSIGNATURE_LINE)
    (line,) = signatures_by(note, WITNESS)
    assert cosignature_time(line) == 1_700_000_000
    assert signature_verifies(note.text, line, WITNESS)
    assert cosign_note(note.text, WITNESS, WITNESS_PRIVATE, 1_700_000_000) == line


def test_the_time_of_a_cosignature_is_signed() -> None:
    note = parse_note(CHECKPOINT + COSIGNATURE_LINE)
    (line,) = signatures_by(note, WITNESS)
    later = Signature(line.name, line.key_id, (1_700_000_001).to_bytes(8, "big") + line.data[8:])
    assert not signature_verifies(note.text, later, WITNESS)


def test_a_cosignature_ends_at_the_largest_signed_time() -> None:
    # C2SP tlog-cosignature: at most 2^63 - 1.
    text = "x\n"
    assert cosignature_time(cosign_note(text, WITNESS, WITNESS_PRIVATE, 2**63 - 1)) == 2**63 - 1
    assert not signature_verifies(text, cosign_note(text, WITNESS, WITNESS_PRIVATE, 2**63), WITNESS)


def test_a_signature_of_one_type_is_none_of_the_other() -> None:
    text, private = "x\n", WITNESS_PRIVATE
    plain = VerifierKey("w", ED25519, private.public)
    timed = VerifierKey("w", COSIGNATURE, private.public)
    assert not signature_verifies(text, cosign_note(text, timed, private, 5), plain)
    assert not signature_verifies(text, sign_note(text, plain, private), timed)


@pytest.mark.parametrize("length", [1, 63, 65, 71, 73, 200])
def test_a_line_of_another_length_does_not_verify(length: int) -> None:
    line = Signature(WITNESS.name, WITNESS.key_id, bytes(length))
    assert not signature_verifies("x\n", line, WITNESS)
    assert not signature_verifies("x\n", line, LOG)


def test_a_line_is_a_keys_by_name_and_id() -> None:
    renamed = VerifierKey("other", COSIGNATURE, WITNESS.public)
    note = parse_note(CHECKPOINT + COSIGNATURE_LINE)
    assert signatures_by(note, renamed) == []


NAMES = st.text(
    st.characters(min_codepoint=33, exclude_characters="+\x7f", exclude_categories=["C", "Z"]), min_size=1
)
SIGNED = st.builds(Signature, NAMES, st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=80))
TEXTS = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]) | st.just("\n"))


@given(TEXTS, st.lists(SIGNED, min_size=1, max_size=5))
def test_a_note_is_read_as_it_was_written(text: str, lines: list[Signature]) -> None:
    note = Note(text + "\n", tuple(lines))
    assert parse_note(note.format()) == note


@given(st.text())
def test_any_text_is_a_note_in_its_one_spelling_or_refused(text: str) -> None:
    try:
        assert parse_note(text).format() == text
    except FormatError as error:
        assert error.reason == Reason.NOTE_MALFORMED


@given(st.integers(0, len(CHECKPOINT) - 1), st.characters())
def test_a_changed_character_never_keeps_the_signature(at: int, character: str) -> None:
    changed = CHECKPOINT[:at] + character + CHECKPOINT[at + 1 :]
    if changed == CHECKPOINT:
        return
    try:
        note = parse_note(changed)
    except FormatError:
        return
    assert not any(signature_verifies(note.text, line, LOG) for line in signatures_by(note, LOG))


def test_a_note_splits_at_its_last_blank_line() -> None:
    note = parse_note("a\n\n— x AAAAAAA=\n\n— y AAAAAAA=\n")
    assert note.text == "a\n\n— x AAAAAAA=\n"
    assert [line.name for line in note.signatures] == ["y"]


def test_line_separators_of_unicode_end_no_line() -> None:
    note = parse_note("a\u2028b\u0085c\n\n— x AAAAAAA=\n")
    assert note.text == "a\u2028b\u0085c\n"


def test_a_lone_surrogate_is_no_text() -> None:
    for text in ("\ud800\n\n— x AAAAAAA=\n", "x\n\n— \udfff AAAAAAA=\n"):
        with pytest.raises(FormatError):
            parse_note(text)


def test_names_of_notes_do_not_depend_on_the_version_of_unicode() -> None:
    # U+1FAE9 was assigned in Unicode 16: older tables call it unprintable.
    assert parse_note("x\n\n— \U0001fae9 AAAAAAA=\n").signatures[0].name == "\U0001fae9"


@pytest.mark.parametrize(
    "character",
    [
        " ",
        "\u00a0",
        "\u0085",
        "\u1680",
        "\u2003",
        "\u2029",
        "\u202f",
        "\u205f",
        "\u3000",
        "+",
    ],
)
def test_names_have_no_spaces_and_no_plus_signs(character: str) -> None:
    with pytest.raises(FormatError):
        parse_note(f"x\n\n— a{character}b AAAAAAA=\n")


@pytest.mark.parametrize("character", ["\x7f", "\x80", "\x84", "\x86", "\x9f", "\u200b", "\u180e"])
def test_names_may_have_any_other_character_as_in_go(character: str) -> None:
    assert parse_note(f"x\n\n— a{character}b AAAAAAA=\n").signatures[0].name == f"a{character}b"


def test_a_note_has_a_bounded_number_of_lines() -> None:
    line = Signature("x", b"abcd", b"e")
    note = Note("x\n", (line,) * MAX_SIGNATURES)
    assert parse_note(note.format()) == note
    with pytest.raises(FormatError, match="at most 32"):
        parse_note(append_signatures(note, [line]).format())


def test_a_note_has_a_bounded_length() -> None:
    with pytest.raises(FormatError, match="characters, at most"):
        parse_note("x" * 2_000_000 + "\n\n— x AAAAAAA=\n")


@pytest.mark.parametrize(
    "text",
    [
        "example.org/log\n0257\nXB/f6DU1gCLyOS3keNvgU/wTDP4dOggoeakM9r8Uv34=\n",
        "example.org/log\n+257\nXB/f6DU1gCLyOS3keNvgU/wTDP4dOggoeakM9r8Uv34=\n",
        "example.org/log\n257\nXB/f6DU1gCLyOS3keNvgU/wTDP4dOggoeakM9r8Uv34\n",
        "example.org/log\n257\nXB/f6DU1gCLyOS3keNvgU/wTDP4dOggoeakM9r8Uv35=\n",
        "example.org/log\n257\nXB8=\n",
        "Example.org/log\n257\nXB/f6DU1gCLyOS3keNvgU/wTDP4dOggoeakM9r8Uv34=\n",
        "example.org/log\n257\nXB/f6DU1gCLyOS3keNvgU/wTDP4dOggoeakM9r8Uv34=\nmore\n",
        "example.org/log\n257\nXB/f6DU1gCLyOS3keNvgU/wTDP4dOggoeakM9r8Uv34=",
        "\nexample.org/log\n257\nXB/f6DU1gCLyOS3keNvgU/wTDP4dOggoeakM9r8Uv34=\n",
        "example.org/log\n9007199254740992\nXB/f6DU1gCLyOS3keNvgU/wTDP4dOggoeakM9r8Uv34=\n",
    ],
)
def test_what_is_no_checkpoint_text(text: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_note_body(text)
    assert caught.value.reason == Reason.NOTE_MALFORMED
