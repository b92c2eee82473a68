"""Witness policies (C2SP tlog-policy): what is read, what is refused, when a quorum is met."""

from itertools import combinations

import pytest

from attestlayer.log.note import ED25519, MAX_LINES, NO_WITNESSES, VerifierKey, parse_policy
from support.build import private_key, quorum_policy, witness

KEYS = {f"w{n}": witness(n).key.format() for n in range(5)}
WITNESSES = "".join(f"witness {name} {key}\n" for name, key in KEYS.items())


def test_quorum_none_is_met_by_nobody() -> None:
    assert parse_policy("quorum none\n").is_met([])
    assert NO_WITNESSES.is_met(["stranger"])


def test_a_witness_by_itself_can_be_the_quorum() -> None:
    policy = parse_policy(f"{WITNESSES}quorum w1\n")
    assert policy.is_met(["w1"])
    assert not policy.is_met(["w0", "w2"])


@pytest.mark.parametrize(("threshold", "least"), [("any", 1), ("1", 1), ("2", 2), ("3", 3), ("all", 3)])
def test_a_group_is_met_by_as_many_as_it_says(threshold: str, least: int) -> None:
    policy = parse_policy(f"{WITNESSES}group g {threshold} w0 w1 w2\nquorum g\n")
    for count in range(4):
        for chosen in combinations(["w0", "w1", "w2"], count):
            assert policy.is_met(chosen) == (count >= least)
    assert not policy.is_met(["w3", "w4"])


def test_groups_of_groups() -> None:
    policy = parse_policy(
        f"{WITNESSES}group a any w0 w1\ngroup b all w2 w3\ngroup both all a b\nquorum both\n"
    )
    assert policy.is_met(["w1", "w2", "w3"])
    assert not policy.is_met(["w0", "w1", "w2"])
    assert not policy.is_met(["a", "b"])


def test_a_stranger_with_a_groups_name_does_not_meet_it() -> None:
    assert not parse_policy(f"{WITNESSES}group g all w0 w1\nquorum g\n").is_met(["g"])


def test_comments_blank_lines_tabs_and_addresses() -> None:
    policy = parse_policy(
        f"# our witnesses\n\n \t\nwitness\tw0 \t{KEYS['w0']} https://w.example.net/\nquorum  w0 \n"
    )
    assert policy.urls == {"w0": "https://w.example.net/"}
    assert policy.is_met(["w0"])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "quorum none",
        "quorum none\nquorum none\n",
        WITNESSES,
        "quorum w0\n",
        f"quorum w0\n{WITNESSES}",
        "quorum\n",
        "quorum none extra\n",
        f"{WITNESSES}quorum none # why\n",
        f"{WITNESSES}log example.org+x+y\nquorum none\n",
        f"{WITNESSES}group g 0 w0\nquorum g\n",
        f"{WITNESSES}group g 2 w0\nquorum g\n",
        f"{WITNESSES}group g 01 w0\nquorum g\n",
        f"{WITNESSES}group g most w0\nquorum g\n",
        f"{WITNESSES}group g all\nquorum g\n",
        f"{WITNESSES}group g all w0 w0\nquorum g\n",
        f"{WITNESSES}group g all w0\ngroup h all w0\nquorum h\n",
        f"{WITNESSES}group g all g\nquorum g\n",
        f"{WITNESSES}group g all h\ngroup h all w0\nquorum g\n",
        f"{WITNESSES}group w0 all w1\nquorum w0\n",
        f"{WITNESSES}group none all w1\nquorum none\n",
        f"witness none {KEYS['w0']}\nquorum none\n",
        f"witness a {KEYS['w0']}\nwitness a {KEYS['w1']}\nquorum none\n",
        f"witness a {KEYS['w0']}\nwitness b {KEYS['w0']}\nquorum none\n",
        f"witness a {KEYS['w0']} https://x y\nquorum none\n",
        f"witness a {KEYS['w0']}\r\nquorum none\r\n",
        f"witness a {KEYS['w0']}\u2028quorum none\n",
        f"witness a {KEYS['w0'][:-1]}\nquorum none\n",
        f"witness a {VerifierKey('a', ED25519, private_key('x').public).format()}\nquorum none\n",
        "quorum none\n" + "#" * 70_000 + "\n",
    ],
)
def test_what_is_no_policy(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_policy(text)
    assert type(caught.value) is ValueError


def test_one_key_under_two_key_names_is_one_witness() -> None:
    same = (
        VerifierKey("another name", 4, witness(0).private.public)
        .format()
        .replace("another name", "w.example")
    )
    renamed = VerifierKey("w.example", 4, witness(0).private.public).format()
    assert same != renamed  # the id covers the name
    with pytest.raises(ValueError, match="its key occurs twice"):
        parse_policy(f"witness a {KEYS['w0']}\nwitness b {renamed}\nquorum none\n")


def test_many_witnesses_are_read_up_to_the_limit() -> None:
    many = [witness(n) for n in range(64)]
    assert len(parse_policy(quorum_policy(many, "33")).witnesses) == 64
    with pytest.raises(ValueError, match="one too many"):
        parse_policy(quorum_policy([witness(n) for n in range(MAX_LINES + 1)]))
