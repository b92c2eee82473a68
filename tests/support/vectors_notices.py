"""Vectors of notices: closed tables, witness policies, keys, refused trust roots (REG-1.0 section 9)."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from attestlayer.canonical import Json, Members, format_json
from attestlayer.encoding import format_base64url, format_hash, format_time, sha256
from attestlayer.errors import Reason
from attestlayer.keys import PrivateKey
from attestlayer.log.checkpoint import Checkpoint
from attestlayer.log.merkle import EMPTY_ROOT, TreeHead
from attestlayer.log.note import COSIGNATURE, VerifierKey
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


def _named(name: str) -> str:
    """A policy whose one witness, `a`, has a verifier key of that name."""
    return f"witness a {VerifierKey(name, COSIGNATURE, _ONE.key.public).format()}\nquorum a\n"


_ONE, _TWO = witness(1), witness(2)
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
    ("A comment behind a blank.", " # x\nquorum none\n", False),
    ("A comment behind a line.", "quorum none # x\n", False),
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
    ("A key of type 1.", f"witness a {_ONE.key.format().replace('+B', '+A', 1)}\nquorum a\n", False),
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
    """A trust root of sequence 1 a minute after the notices, signed by `key`; changes are made before."""
    notices = _notices_with(*added)
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
