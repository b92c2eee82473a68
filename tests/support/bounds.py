"""Notices and trust roots at their bounds, which are too large to be checked in as vectors."""

import base64
from collections.abc import Iterator
from functools import cache

from attestlayer.canonical import Json, Members, format_json
from attestlayer.encoding import format_hash, format_time, sha256
from attestlayer.errors import Reason
from attestlayer.log.notices import MAX_NOTICES, MAX_NOTICES_LENGTH, Notice, NoticeType, Role, key_added
from support.build import ISSUER, ORIGIN, REGISTRY, START, NoticeContent
from support.vectors_notices import trust_with

_KEYS = (key_added(Role.REGISTRY, REGISTRY.public, START), key_added(Role.ISSUER, ISSUER.public, START))


def withdrawals(count: int) -> Iterator[NoticeContent]:
    """As many withdrawals, each of another leaf."""
    for number in range(count):
        data: Members = {"leaf_hash": format_hash(sha256(b"%d" % number)), "reason": "issued-in-error"}
        yield NoticeType.KIT_WITHDRAWN, data


def _policy(comment: str) -> NoticeContent:
    data: Members = {"valid_from": format_time(START), "policy": f"#{comment}\nquorum none\n"}
    return NoticeType.WITNESS_POLICY, data


def document(*added: NoticeContent) -> Members:
    """A notices document of the two keys and these; nothing is checked."""
    listed = (*_KEYS, *added)
    notices: list[Json] = [Notice(n, START, kind, data).members() for n, (kind, data) in enumerate(listed)]
    return {"schema": "attestlayer/notices/1", "origin": ORIGIN, "notices": notices}


_DASHES = 60_000
_ONE_LENGTH = len(format_json(Notice(10, START, *_policy(f"000{'-' * _DASHES}")).members())) + 1


@cache
def _long(length: int) -> Members:
    """A document of exactly this length, of policies with long comments."""
    count = length // _ONE_LENGTH - 1
    frame = len(format_json(document(*[_policy(f"{number:03}") for number in range(count)])))
    left = length - frame - count * _DASHES
    policies = [_policy(f"{number:03}{'-' * _DASHES}") for number in range(count)]
    two = len(format_json(document(_policy(""), _policy("")))) - len(format_json(document()))
    digits = 2 * (len(str(count)) - 1)
    rest = left - two - digits
    return document(*policies, _policy("a" * (rest // 2)), _policy("b" * (rest - rest // 2)))


@cache
def _many(count: int) -> Members:
    return document(*withdrawals(count))


def bounded() -> list[dict[str, object]]:
    """As vectors: at each bound one that is accepted, past it one that is refused."""
    cases = (
        ("10,000 notices.", "notices", _many(MAX_NOTICES - 2), True),
        ("10,001 notices.", "notices", _many(MAX_NOTICES - 1), False),
        ("4 MiB.", "notices", _long(MAX_NOTICES_LENGTH), True),
        ("4 MiB and a byte.", "notices", _long(MAX_NOTICES_LENGTH + 1), False),
        ("Notices of 4 MiB.", "trust", trust_with(_long(MAX_NOTICES_LENGTH)), True),
        ("Notices of 4 MiB and a byte.", "trust", trust_with(_long(MAX_NOTICES_LENGTH + 1)), False),
        ("Over 5 MiB.", "trust", trust_with(_long(5 * 1024 * 1024)), False),
    )
    return [
        {
            "comment": comment,
            "expect": "accepted" if good else Reason.TRUST_ROOT_UNUSABLE.value,
            "input": {"kind": kind, "data": base64.b64encode(format_json(members)).decode()},
        }
        for comment, kind, members, good in cases
    ]
