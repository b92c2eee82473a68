"""Vectors of notices: closed tables, witness policies, keys, refused trust roots (REG-1.0 section 9)."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from attestlayer.canonical import Json, Members, format_json
from attestlayer.encoding import (
    format_base64,
    format_base64url,
    format_hash,
    format_time,
    parse_base64,
    sha256,
)
from attestlayer.errors import Reason
from attestlayer.keys import PrivateKey
from attestlayer.log.checkpoint import Checkpoint
from attestlayer.log.merkle import EMPTY_ROOT, TreeHead
from attestlayer.log.note import COSIGNATURE, ED25519, VerifierKey
from attestlayer.log.notices import Notice, NoticeType, Role, format_jwk, key_added
from support.build import (
    ISSUER,
    ORIGIN,
    REGISTRY,
    START,
    STRANGER,
    NoticeContent,
    key_retired,
    key_revoked,
    ml_dsa_witness,
    quorum_policy,
    sign_checkpoint,
    witness,
    witness_policy,
)
from support.foreign import SMALL_ORDER
from support.vectors_values import Vector, value_vector

_UNUSABLE = Reason.TRUST_ROOT_UNUSABLE.value


def _chain(groups: int) -> str:
    """A policy with one witness and a chain of groups, each around the one before."""
    lines = [f"group g{n} 1 {f'g{n - 1}' if n else 'a'}\n" for n in range(groups)]
    return f"{_W1}{''.join(lines)}quorum g{groups - 1}\n"


def _crowd(count: int) -> str:
    """A policy of as many witnesses and as many groups, one of each."""
    crowd = [witness(number) for number in range(count)]
    lines = [f"witness w{n} {each.key.format()}\n" for n, each in enumerate(crowd)]
    lines += [f"group g{n} any w{n}\n" for n in range(count)]
    return f"{''.join(lines)}quorum g{count - 1}\n"


def _named_like_words() -> str:
    """Names that are words elsewhere in a line."""
    names = dict(zip(("all", "any", "1"), (witness(n).key.format() for n in range(3)), strict=True))
    lines = "".join(f"witness {name} {key}\n" for name, key in names.items())
    return f"{lines}group quorum 2 all any 1\nquorum quorum\n"


def _w1_as(name: str, quorum: str | None = None) -> str:
    """A policy of one witness of that name, which is the quorum unless another name is."""
    return f"witness {name} {_ONE.key.format()}\nquorum {quorum or name}\n"


def _typed(kind: int) -> str:
    """A verifier key of 32 bytes that says it is of this type, with the right key id."""
    return VerifierKey("k", kind, _ONE.key.public).format()


def _short_ml_dsa() -> str:
    name, _, encoded = ml_dsa_witness("m").split("+", 2)
    data = parse_base64(encoded)[:-1]
    key_id = sha256(name.encode() + b"\n" + data)[:4].hex()
    return f"witness m {name}+{key_id}+{format_base64(data)}\nquorum none\n"


def _named(name: str) -> str:
    """A policy whose one witness, `a`, has a verifier key of that name."""
    return f"witness a {VerifierKey(name, COSIGNATURE, _ONE.key.public).format()}\nquorum a\n"


_ONE, _TWO = witness(1), witness(2)
_W6 = f"witness m {ml_dsa_witness('m.example.net')}\n"
_LOG = VerifierKey(ORIGIN, ED25519, REGISTRY.public).format()
_W1 = f"witness a {_ONE.key.format()}\n"
_W2 = f"witness b {_TWO.key.format()} https://witness.example.net/b\n"
_POLICIES: tuple[tuple[str, str, bool], ...] = (
    ("None.", "quorum none\n", True),
    ("A witness is the quorum.", f"{_W1}quorum a\n", True),
    ("An address.", f"{_W2}quorum b\n", True),
    ("Comments, blank lines, tabs.", f"# all\n\n \t\n{_W1}{_W2}\tgroup\tg  any a\tb \nquorum g\n", True),
    ("A group of a group.", f"{_W1}{_W2}group g 1 a\ngroup h all g b\nquorum h\n", True),
    ("The quorum before another witness.", f"{_W1}quorum a\n{_W2}", True),
    ("No quorum.", _W1, False),
    ("Two quorums.", "quorum none\nquorum none\n", False),
    ("The last line does not end.", "quorum none", False),
    ("Nothing.", "", False),
    ("A carriage return.", "quorum none\r\n", False),
    ("A comment after a space.", " # x\nquorum none\n", True),
    ("A comment after a tab and spaces.", "\t  #quorum a\nquorum none\n", True),
    ("A comment of one character.", "#\nquorum none\n", True),
    ("A comment as the last line.", "quorum none\n#\n", True),
    ("A comment that does not end.", "quorum none\n#", False),
    ("A comment beyond ASCII.", "# témoins \U0001f600\nquorum none\n", True),
    ("A comment after a line's words.", "quorum none # x\n", False),
    ("A comment after a no-break space, which is no whitespace here.", "\u00a0# x\nquorum none\n", False),
    ("A line of spaces and tabs.", " \t \t\nquorum none\n", True),
    ("Spaces and tabs at both ends.", "\t quorum none\t \n", True),
    ("A no-break space between words.", "quorum\u00a0none\n", False),
    ("An ideographic space between words.", "quorum\u3000none\n", False),
    ("Blank lines at the end.", "quorum none\n\n\n", True),
    *(
        (f"The control character {ord(c):#04x} in a comment.", f"# a{c}b\nquorum none\n", False)
        for c in "\x00\x01\x08\x0b\x0c\r\x1b\x1f\x7f"
    ),
    ("A control character in a name.", _w1_as("a\x7f", "none"), False),
    ("A control character in an address.", f"{_W1[:-1]} https://a\x0b\nquorum none\n", False),
    ("A form feed as a line.", "\x0c\nquorum none\n", False),
    ("U+0080 to U+009F in a comment: octets above 0x7F.", "# \u0080\u0085\u009f\nquorum none\n", True),
    ("A line separator within a comment.", "# a\u2028quorum a\nquorum none\n", True),
    ("A keyword in capitals.", "Quorum none\n", False),
    ("An unknown keyword.", f"{_W1}threshold 1\nquorum a\n", False),
    ("A keyword alone.", "quorum none\nwitness\n", False),
    ("A witness without a key.", "witness a\nquorum none\n", False),
    ("A word after the address.", f"{_W2[:-1]} x\nquorum b\n", False),
    ("Any word as an address.", f"{_W1[:-1]} ?\nquorum a\n", True),
    ("A quorum of two names.", f"{_W1}{_W2}quorum a b\n", False),
    ("A quorum without a name.", "quorum\n", False),
    ("The quorum twice, the same.", f"{_W1}quorum a\nquorum a\n", False),
    ("A quorum before its witness.", f"quorum a\n{_W1}", False),
    ("A quorum with a capital where the witness has none.", f"{_W1}quorum A\n", False),
    ("None as a member.", f"{_W1}group g any a none\nquorum g\n", False),
    ("A group named none.", f"{_W1}group none any a\nquorum none\n", False),
    ("A group with the name of a witness.", f"{_W1}{_W2}group a any b\nquorum a\n", False),
    ("A witness with the name of a group.", f"{_W1}group b any a\n{_W2}quorum b\n", False),
    ("A group of itself.", f"{_W1}group g any g\nquorum none\n", False),
    ("A group of an unknown name.", f"{_W1}group g any b\nquorum none\n", False),
    ("A threshold that is the number of members.", f"{_W1}{_W2}group g 2 a b\nquorum g\n", True),
    ("A threshold with a sign.", f"{_W1}group g +1 a\nquorum g\n", False),
    ("A threshold in capitals.", f"{_W1}group g ALL a\nquorum g\n", False),
    ("A group without a threshold.", f"{_W1}group g a\nquorum none\n", False),
    ("A group that nobody uses.", f"{_W1}{_W2}group g all a\nquorum b\n", True),
    ("Witnesses named all, any and 1.", _named_like_words(), True),
    ("A name of punctuation.", _w1_as("+#!"), True),
    ("A name beyond ASCII.", _w1_as("témoin"), True),
    ("A Kelvin sign is no K.", _w1_as("K", "\u212a"), False),
    (
        "A name that normalisation would change.",
        _w1_as("e\u0301", "\u00e9"),
        False,
    ),
    (
        "A name that is a member of objects in JavaScript.",
        _w1_as("__proto__"),
        True,
    ),
    ("A no-break space in a name.", _w1_as("a\u00a0"), True),
    ("32 witnesses and 32 groups.", _crowd(32), True),
    ("A witness of type 6 beside one of type 4.", f"{_W1}{_W6}group g any a m\nquorum g\n", True),
    ("A witness of type 6 is the quorum: nothing here meets it.", f"{_W6}quorum m\n", True),
    ("A key of type 6 twice.", f"{_W6}{_W6.replace(' m ', ' n ', 1)}quorum none\n", False),
    ("A key of type 6 that is a byte short.", _short_ml_dsa(), False),
    ("A key of type 2.", f"witness a {_typed(2)}\nquorum none\n", False),
    ("A key of type 5.", f"witness a {_typed(5)}\nquorum none\n", False),
    ("A key of type 6 as long as Ed25519's.", f"witness a {_typed(6)}\nquorum none\n", False),
    ("A key id of seven digits.", _W1.replace("+088d2ed1+", "+88d2ed1+") + "quorum a\n", False),
    ("A verifier key with one plus sign.", "witness a k+088d2ed1\nquorum none\n", False),
    ("A key name of no character.", f"witness a +088d2ed1{_W1[_W1.rindex('+') :]}quorum none\n", False),
    ("A log line.", f"log {_ONE.key.format()}\nquorum none\n", False),
    ("An unknown name.", "quorum a\n", False),
    ("A group before its members.", f"group g all a\n{_W1}quorum g\n", False),
    ("A name twice.", f"{_W1}{_W2.replace(' b ', ' a ', 1)}quorum a\n", False),
    ("A key twice.", f"{_W1}{_W1.replace(' a ', ' b ', 1)}quorum a\n", False),
    ("A witness named none.", f"{_W1.replace(' a ', ' none ', 1)}quorum none\n", False),
    ("A member twice.", f"{_W1}{_W2}group g any a a\nquorum g\n", False),
    ("A member of two groups.", f"{_W1}{_W2}group g any a\ngroup h any a b\nquorum h\n", False),
    ("A group without members.", f"{_W1}group g all\nquorum a\n", False),
    ("A threshold of 0.", f"{_W1}group g 0 a\nquorum g\n", False),
    ("A threshold above the members.", f"{_W1}group g 2 a\nquorum g\n", False),
    ("A threshold with a zero before it.", f"{_W1}group g 01 a\nquorum g\n", False),
    ("A threshold in wide digits.", f"{_W1}group g \uff11 a\nquorum g\n", False),
    ("A threshold of over 19 digits.", f"{_W1}group g {'9' * 20} a\nquorum g\n", False),
    ("A key name that is not the witness's.", _named("k"), True),
    ("A key name beyond U+FFFF.", _named("\U0001f600"), True),
    ("A key name with a no-break space.", _named("k\u00a0"), False),
    ("A key name with U+0085, which is a space.", _named("k\u0085"), False),
    ("A key name with U+0080 and U+009F.", _named("k\u0080\u009f"), True),
    ("A key name with U+007F.", _named("k\x7f"), False),
    ("A log line with the log's own key.", f"log {_LOG}\nquorum none\n", False),
    ("A key of type 1.", f"witness a {_typed(1)}\nquorum a\n", False),
    ("A key id in capitals.", _W1.replace("+088d2ed1+", "+088D2ED1+") + "quorum a\n", False),
    ("Another key id.", _W1.replace("+088d2ed1+", "+088d2ed2+") + "quorum a\n", False),
    ("256 names.", _chain(255), True),
    ("257 names.", _chain(256), False),
)


def notice_vectors() -> list[Vector]:
    """Notices, witness policies, and trust roots whose notices are well-formed."""
    return [*_policies(), *_notices(), *_trust_roots()]


def _notices_with(*added: NoticeContent) -> Members:
    """A notices document with these behind the keys of registry and issuer; nothing is checked."""
    listed = (
        key_added(Role.REGISTRY, REGISTRY.public, START),
        key_added(Role.ISSUER, ISSUER.public, START),
        *added,
    )
    notices: list[Json] = [Notice(n, START, kind, data).members() for n, (kind, data) in enumerate(listed)]
    return {"schema": "attestlayer/notices/1", "origin": ORIGIN, "notices": notices}


def _policies() -> Iterator[Vector]:
    for comment, text, good in _POLICIES:
        data = format_json(_notices_with(witness_policy(format_time(START), text)))
        yield value_vector(f"Witness policy: {comment}", "notices", data, None if good else _UNUSABLE)


def _edited(change: Callable[[list[Members]], object], *added: NoticeContent) -> bytes:
    document = _notices_with(*added)
    change(document["notices"])  # type: ignore[arg-type]
    return format_json(document)


def _jwk(**changes: Json) -> Callable[[list[Members]], object]:
    return lambda notices: notices[0]["data"]["jwk"].update(changes)  # type: ignore[index,call-overload,union-attr]


def _incident(**changes: Json) -> NoticeContent:
    data: Members = {"kind": "late-merge", "from_index": 1, "to_index": 1, "reason": "outage"}
    return NoticeType.INCIDENT, {**data, **changes}


def _other(kind: NoticeType, **data: Json) -> NoticeContent:
    return kind, data


def _notices() -> Iterator[Vector]:
    leaf, at = format_hash(sha256(b"leaf")), format_time(START)
    withdrawn = _other(NoticeType.KIT_WITHDRAWN, leaf_hash=leaf, reason="key-revoked")
    added: tuple[tuple[str, tuple[NoticeContent, ...], bool], ...] = (
        (
            "Every kind of incident.",
            (_incident(), _incident(kind="wrong-entry", reason="software-fault")),
            True,
        ),
        ("An unknown kind of incident.", (_incident(kind="late"),), False),
        ("An unknown reason of an incident.", (_incident(reason="weather"),), False),
        ("An incident that ends before it begins.", (_incident(to_index=0),), False),
        ("A withdrawal.", (withdrawn,), True),
        ("A withdrawal twice.", (withdrawn, withdrawn), False),
        (
            "A withdrawal for two reasons.",
            (withdrawn, (withdrawn[0], {**withdrawn[1], "reason": "issued-in-error"})),
            True,
        ),
        (
            "A withdrawal for a reason of another table.",
            ((withdrawn[0], {**withdrawn[1], "reason": "outage"}),),
            False,
        ),
        (
            "A revocation for a reason of another table.",
            (_other(NoticeType.KEY_REVOKED, kid=ISSUER.public.kid, revoked_at=at, reason="key-revoked"),),
            False,
        ),
        ("A retirement of a key that nobody added: its form is sound.", (key_retired(STRANGER, at),), True),
        (
            "A retirement with a reason.",
            (_other(NoticeType.KEY_RETIRED, kid=ISSUER.public.kid, valid_until=at, reason="key-lost"),),
            False,
        ),
        (
            "A supersession without a successor.",
            (_other(NoticeType.KIT_SUPERSEDED, leaf_hash=leaf, by=None),),
            False,
        ),
        (
            "A key with the role of a witness.",
            (_other(NoticeType.KEY_ADDED, role="witness", jwk=format_jwk(STRANGER.public), valid_from=at),),
            False,
        ),
    )
    for comment, notices, good in added:
        yield value_vector(
            comment, "notices", format_json(_notices_with(*notices)), None if good else _UNUSABLE
        )
    edits: tuple[tuple[str, Callable[[list[Members]], object]], ...] = (
        ("Numbers from 1.", lambda n: [each.update(n=i) for i, each in enumerate(n, 1)]),
        ("A notice earlier than the one before.", lambda n: n[1].update(at=format_time(START - 1))),
        ("An unknown type.", lambda n: n[0].update(type="key.rotated")),
        ("A JWK with alg.", _jwk(alg="EdDSA")),
        ("A JWK of another curve.", _jwk(crv="P-256", kty="EC")),
        ("A JWK for encryption.", _jwk(use="enc")),
        ("A JWK with the kid of another key.", _jwk(kid=ISSUER.public.kid)),
        ("A JWK with padding.", _jwk(x=f"{format_base64url(REGISTRY.public.data)}=")),
    )
    for comment, change in edits:
        yield value_vector(comment, "notices", _edited(change), _UNUSABLE)
    for comment, data in SMALL_ORDER:
        thumbprint = format_json({"crv": "Ed25519", "kty": "OKP", "x": format_base64url(data)})
        edit = _jwk(x=format_base64url(data), kid=format_base64url(sha256(thumbprint)))
        yield value_vector(f"A JWK: {comment}", "notices", _edited(edit), _UNUSABLE)


def _trust(*added: NoticeContent, key: PrivateKey = REGISTRY, **changes: object) -> Members:
    """A trust root with these notices."""
    return trust_with(_notices_with(*added), key, **changes)


def trust_with(notices: Members, key: PrivateKey = REGISTRY, **changes: object) -> Members:
    """A trust root of sequence 1 a minute after the notices, signed by `key`; changes are made before."""
    checkpoint = Checkpoint(
        origin=ORIGIN,
        sequence=1,
        head=TreeHead(0, EMPTY_ROOT),
        timestamp=START + 60,
        prev_checkpoint_hash=sha256(b"sequence 0"),
        notices_hash=sha256(format_json(notices)),
        kid=key.public.kid,
    )
    signed = sign_checkpoint(replace(checkpoint, **changes), key)  # type: ignore[arg-type]
    return {
        "schema": "attestlayer/trust/1",
        "origin": ORIGIN,
        "checkpoint": signed.members(),
        "notices": notices,
    }


def _trust_roots() -> Iterator[Vector]:
    early, late = format_time(START + 59), format_time(START + 61)
    now, other = format_time(START + 60), "other.example.org"
    with_witness = witness_policy(early, quorum_policy([_ONE]))
    stranger = witness_policy(
        early, f"witness s {VerifierKey('s', COSIGNATURE, REGISTRY.public).format()}\nquorum s\n"
    )
    sound = _trust()
    newer: Members = {**_notices_with(), "schema": "attestlayer/notices/2"}
    made: tuple[tuple[str, Members, str | None], ...] = (
        ("As it should be.", sound, None),
        ("Its key is retired a second later.", _trust(key_retired(REGISTRY, late)), None),
        ("Its key is retired at its second.", _trust(key_retired(REGISTRY, now)), _UNUSABLE),
        (
            "Its key is retired twice: the earlier time counts.",
            _trust(key_retired(REGISTRY, early), key_retired(REGISTRY, late)),
            _UNUSABLE,
        ),
        ("Its key is revoked a second later.", _trust(key_revoked(REGISTRY, late)), None),
        ("Its key is revoked at its second.", _trust(key_revoked(REGISTRY, now)), _UNUSABLE),
        ("It is dated before its key.", _trust(timestamp=START - 1), _UNUSABLE),
        ("It is signed by the issuer key.", _trust(key=ISSUER), _UNUSABLE),
        ("It is signed by a stranger.", _trust(key=STRANGER), _UNUSABLE),
        ("Its checkpoint commits to other notices.", _trust(notices_hash=sha256(b"x")), _UNUSABLE),
        ("Its checkpoint is of another registry.", _trust(origin=other), _UNUSABLE),
        ("It names another registry than its parts.", {**sound, "origin": other}, _UNUSABLE),
        ("A key that was added twice.", _trust(key_added(Role.ISSUER, REGISTRY.public, START)), _UNUSABLE),
        (
            "A registry key that was added again, valid from a second later.",
            _trust(key_added(Role.REGISTRY, REGISTRY.public, START + 1)),
            _UNUSABLE,
        ),
        ("A key with two roles.", _trust(key_added(Role.REGISTRY, ISSUER.public, START)), _UNUSABLE),
        ("A retirement of a key that nobody added.", _trust(key_retired(STRANGER, late)), _UNUSABLE),
        ("A revocation of a key that nobody added.", _trust(key_revoked(STRANGER, late)), _UNUSABLE),
        ("Policies in order.", _trust(with_witness, witness_policy(late, "quorum none\n")), None),
        (
            "Two policies from one time on.",
            _trust(with_witness, witness_policy(early, "quorum none\n")),
            None,
        ),
        (
            "A policy from before the one it follows.",
            _trust(witness_policy(late, "quorum none\n"), with_witness),
            _UNUSABLE,
        ),
        ("A witness with the registry's key.", _trust(stranger), _UNUSABLE),
        (
            "A registry key that was a witness's.",
            _trust(with_witness, key_added(Role.REGISTRY, _ONE.key.public, START)),
            _UNUSABLE,
        ),
        ("Notices of a newer format.", {**sound, "notices": newer}, "schema-newer"),
        (
            "Newer notices behind a checkpoint that is none: the first fault in order is reported.",
            {**sound, "checkpoint": {}, "notices": newer},
            _UNUSABLE,
        ),
        (
            "Newer notices before an origin that is none.",
            {**sound, "notices": newer, "origin": ""},
            "schema-newer",
        ),
    )
    for comment, members, expect in made:
        yield value_vector(comment, "trust", format_json(members), expect)
