"""Notices, the keys and policies that they yield, and trust roots made of them."""

import copy
import time
from dataclasses import replace

import pytest

from attestlayer.canonical import Members, format_json
from attestlayer.encoding import format_hash, format_time, sha256
from attestlayer.errors import CouldNotCheckError, Reason
from attestlayer.keys import PrivateKey
from attestlayer.log.notices import (
    IncidentReason,
    Notices,
    NoticeType,
    Role,
    key_added,
    late_merge,
    parse_notices,
    take_notices,
)
from attestlayer.log.trust import Keyring, make_trust_root, parse_jwks, parse_trust, read_notices
from support.build import (
    ISSUER,
    ORIGIN,
    REGISTRY,
    START,
    STRANGER,
    Log,
    NoticeContent,
    Round,
    Witness,
    edit_json,
    key_retired,
    key_revoked,
    make,
    private_key,
    quorum_policy,
    sign_checkpoint,
    witness,
    witness_policy,
)

T = START
ADDED = (key_added(Role.REGISTRY, REGISTRY.public, T), key_added(Role.ISSUER, ISSUER.public, T))


def notices(*more: NoticeContent) -> Notices:
    return Notices(ORIGIN, ()).extended(T, (*ADDED, *more))


def keyring(*more: NoticeContent) -> Keyring:
    return read_notices(notices(*more))


class TestDocument:
    def test_grows_and_leaves_out_what_stands_in_it(self) -> None:
        first = notices()
        again = first.extended(T + 60, (*ADDED, late_merge(0, 1, IncidentReason.OUTAGE)))
        assert [notice.n for notice in again.notices] == [0, 1, 2]
        assert again.starts_with(first)
        assert not first.starts_with(again)
        assert not replace(again, origin="other.example").starts_with(first)

    @pytest.mark.parametrize(
        "change",
        [
            lambda n: n[1].update(n=2),
            lambda n: n[1].update(n=0),
            lambda n: n[1].update(at=format_time(T - 1)),
            lambda n: n.reverse(),
            lambda n: n.append({**n[1], "n": 2}),
            lambda n: n[0].update(type="key.forgotten"),
            lambda n: n[0].update(type="key.retired"),
            lambda n: n[0]["data"].update(role="witness"),
            lambda n: n[0]["data"]["jwk"].update(kid="A" * 43),
            lambda n: n[0]["data"]["jwk"].update(alg="EdDSA"),
            lambda n: n[0]["data"]["jwk"].update(use="enc"),
            lambda n: n[0]["data"]["jwk"].update(x="A" * 43),
            lambda n: n[0]["data"].update(valid_from="2026-01-31"),
        ],
    )
    def test_that_is_spoilt_is_refused(self, change: object) -> None:
        members = copy.deepcopy(notices().members())
        change(members["notices"])  # type: ignore[operator]
        with pytest.raises(ValueError, match=r".+"):
            take_notices(members)

    @pytest.mark.parametrize(
        "content",
        [
            (NoticeType.INCIDENT, {"kind": "late-merge", "from_index": 2, "to_index": 1, "reason": "outage"}),
            (
                NoticeType.INCIDENT,
                {"kind": "late-merge", "from_index": 0, "to_index": 1, "reason": "a storm"},
            ),
            (NoticeType.INCIDENT, {"kind": "storm", "from_index": 0, "to_index": 1, "reason": "outage"}),
            (
                NoticeType.INCIDENT,
                {"kind": "late-merge", "from_index": False, "to_index": 1, "reason": "outage"},
            ),
            (NoticeType.KIT_WITHDRAWN, {"leaf_hash": "A" * 43, "reason": "sold"}),
            (NoticeType.KIT_WITHDRAWN, {"leaf_hash": "A" * 42, "reason": "issued-in-error"}),
            (NoticeType.KIT_SUPERSEDED, {"leaf_hash": "A" * 43, "by": None}),
            (NoticeType.KEY_REVOKED, {"kid": "A" * 43, "revoked_at": format_time(T), "reason": "old"}),
            (NoticeType.WITNESS_POLICY, {"valid_from": format_time(T), "policy": "quorum some\n"}),
        ],
    )
    def test_with_words_outside_its_tables_is_refused(self, content: NoticeContent) -> None:
        with pytest.raises(ValueError, match=r".+"):
            notices().extended(T, [content])

    def test_a_newer_one_could_not_be_checked(self) -> None:
        data = edit_json(notices().format(), lambda members: members.update(schema="attestlayer/notices/2"))
        with pytest.raises(CouldNotCheckError) as caught:
            parse_notices(data)
        assert caught.value.reason == Reason.SCHEMA_NEWER


class TestKeys:
    def test_count_from_their_first_second_to_before_their_last(self) -> None:
        ring = keyring(key_retired(REGISTRY, format_time(T + 100)))
        key = ring.keys[REGISTRY.public.kid]
        assert [key.is_valid_at(t) for t in (T - 1, T, T + 99, T + 100)] == [False, True, True, False]
        assert [len(ring.keys_at(Role.REGISTRY, t)) for t in (T - 1, T, T + 100)] == [0, 1, 0]

    def test_are_revoked_from_the_second_of_their_revocation(self) -> None:
        ring = keyring(key_revoked(REGISTRY, format_time(T + 100)))
        key = ring.keys[REGISTRY.public.kid]
        assert [key.is_revoked_at(t) for t in (T + 99, T + 100)] == [False, True]
        assert [len(ring.keys_at(Role.REGISTRY, t)) for t in (T + 99, T + 100)] == [1, 0]

    def test_end_at_the_earliest_time_that_a_notice_names(self) -> None:
        times = [format_time(T + n) for n in (100, 50, 200)]
        ring = keyring(*(key_retired(REGISTRY, t) for t in times), *(key_revoked(ISSUER, t) for t in times))
        assert ring.keys[REGISTRY.public.kid].valid_until == T + 50
        assert ring.keys[ISSUER.public.kid].revoked_at == T + 50

    def test_sign_by_age_and_then_by_name(self) -> None:
        keys = sorted((private_key(f"k{n}").public for n in range(3)), key=lambda key: key.kid)
        later = [key_added(Role.REGISTRY, key, T + 10) for key in reversed(keys)]
        found = [key.public.kid for key in keyring(*later).keys_at(Role.REGISTRY, T + 20)]
        assert found == [REGISTRY.public.kid, *(key.kid for key in keys)]

    def test_have_one_role(self) -> None:
        for role in Role:
            with pytest.raises(ValueError, match="no key has two"):
                keyring(key_added(role, REGISTRY.public, T + 1))
        assert keyring().key(Role.ISSUER, REGISTRY.public.kid) is None

    def test_of_witnesses_are_no_keys_of_the_operator(self) -> None:
        inside = Witness(name="w", private=REGISTRY)
        policy = witness_policy(format_time(T), quorum_policy([inside]))
        with pytest.raises(ValueError, match="a witness's and the operator's"):
            keyring(policy)
        outside = witness(1)
        policy = witness_policy(format_time(T), quorum_policy([outside]))
        with pytest.raises(ValueError, match="no key has two"):
            keyring(policy, key_added(Role.ISSUER, outside.private.public, T))

    def test_that_were_never_added_do_not_end(self) -> None:
        with pytest.raises(ValueError, match="never added"):
            keyring(key_revoked(STRANGER, format_time(T)))

    def test_are_shown_as_jwks_and_read_again(self) -> None:
        ring = keyring(key_retired(REGISTRY, format_time(T + 9)), key_revoked(REGISTRY, format_time(T + 5)))
        again = parse_jwks(format_json(ring.jwks(Role.REGISTRY)), Role.REGISTRY, ORIGIN)
        assert again.keys == {REGISTRY.public.kid: ring.keys[REGISTRY.public.kid]}

    @pytest.mark.parametrize("jwks", [[], {}, {"keys": {}}, {"keys": [1]}, {"keys": [], "more": 0}])
    def test_of_a_spoilt_jwks_are_refused(self, jwks: object) -> None:
        with pytest.raises(ValueError, match=r".+"):
            parse_jwks(format_json(jwks), Role.REGISTRY, ORIGIN)

    def test_occur_once_in_a_jwks(self) -> None:
        (key,) = keyring().jwks(Role.ISSUER)["keys"]  # type: ignore[misc]
        with pytest.raises(ValueError, match="occurs twice"):
            parse_jwks(format_json({"keys": [key, key]}), Role.ISSUER, ORIGIN)


class TestWitnessPolicy:
    def test_is_the_last_one_in_force(self) -> None:
        one = witness_policy(format_time(T + 10), quorum_policy([witness(1)]))
        two = witness_policy(format_time(T + 20), quorum_policy([witness(2)]))
        ring = keyring(one, two)
        found = [sorted(ring.witness_policy_at(t).witnesses) for t in (T + 9, T + 10, T + 19, T + 20)]
        assert found == [[], [witness(1).name], [witness(1).name], [witness(2).name]]

    def test_does_not_go_back_behind_the_one_before(self) -> None:
        one = witness_policy(format_time(T + 10), quorum_policy([witness(1)]))
        two = witness_policy(format_time(T + 9), quorum_policy([witness(2)]))
        with pytest.raises(ValueError, match="valid from before"):
            keyring(one, two)

    def test_many_policies_and_keys_are_read_in_seconds(self) -> None:
        # Time that grows with the product of keys and witnesses would take minutes here.
        policies = [
            witness_policy(format_time(T + n), quorum_policy([witness(w) for w in range(200)]))
            for n in range(20)
        ]
        keys = [key_added(Role.ISSUER, PrivateKey(sha256(b"%d" % n)).public, T) for n in range(1500)]
        document = notices(*policies, *keys)
        began = time.process_time()
        read_notices(document)
        assert time.process_time() - began < 4


class TestStatusOfKits:
    def test_late_merges_cover_their_first_and_last_leaf(self) -> None:
        ring = keyring(late_merge(5, 7, IncidentReason.OUTAGE), late_merge(9, 9, IncidentReason.OVERLOAD))
        assert [n for n in range(12) if ring.is_late_merge(n)] == [5, 6, 7, 9]

    def test_other_incidents_explain_no_late_merge(self) -> None:
        data: Members = {"kind": "wrong-entry", "from_index": 0, "to_index": 9, "reason": "outage"}
        assert not keyring((NoticeType.INCIDENT, data)).is_late_merge(5)

    def test_the_first_withdrawal_and_successor_stand(self) -> None:
        leaf, one, two = (format_hash(sha256(name)) for name in (b"leaf", b"one", b"two"))
        ring = keyring(
            (NoticeType.KIT_WITHDRAWN, {"leaf_hash": leaf, "reason": "issued-in-error"}),
            (NoticeType.KIT_WITHDRAWN, {"leaf_hash": leaf, "reason": "key-revoked"}),
            (NoticeType.KIT_SUPERSEDED, {"leaf_hash": leaf, "by": one}),
            (NoticeType.KIT_SUPERSEDED, {"leaf_hash": leaf, "by": two}),
        )
        assert ring.withdrawn == {sha256(b"leaf"): "issued-in-error"}
        assert ring.superseded == {sha256(b"leaf"): sha256(b"one")}


class TestTrustRoot:
    def test_is_read_as_it_was_written(self) -> None:
        trust = make().trust
        assert parse_trust(trust.format()) == trust
        assert trust.hash() == sha256(trust.format())
        assert [key.public for key in trust.registry_keys()] == [REGISTRY.public]

    def test_has_the_origin_of_its_parts(self) -> None:
        trust = make().trust
        for data in (
            edit_json(trust.format(), lambda members: members.update(origin="other.example")),
            replace(trust, notices=Log(origin="other.example").notices).format(),
        ):
            with pytest.raises(CouldNotCheckError) as caught:
                parse_trust(data)
            assert caught.value.reason == Reason.TRUST_ROOT_UNUSABLE

    def test_needs_notices_of_its_own_registry(self) -> None:
        log = Log()
        other = Notices("other.example", log.notices.notices)
        checkpoint = sign_checkpoint(replace(log.last.checkpoint, notices_hash=other.hash()), REGISTRY)
        with pytest.raises(ValueError, match=r"notices of other\.example"):
            make_trust_root(checkpoint, other)

    def test_needs_the_notices_that_its_checkpoint_commits_to(self) -> None:
        log = Log()
        log.publish(Round(notices=(late_merge(0, 0, IncidentReason.OUTAGE),)))
        with pytest.raises(ValueError, match="commits to other notices"):
            make_trust_root(log.last.checkpoint, log.rounds[0].notices)

    @pytest.mark.parametrize(
        "ended",
        [key_retired(REGISTRY, format_time(T + 60)), key_revoked(REGISTRY, format_time(T + 60))],
        ids=["retired", "revoked"],
    )
    def test_needs_a_key_that_counts_at_its_time(self, ended: NoticeContent) -> None:
        log = Log()
        log.publish(Round(notices=(ended,)))
        with pytest.raises(ValueError, match="not a registry key valid"):
            log.trust()

    @pytest.mark.parametrize("key", [STRANGER, ISSUER], ids=["stranger", "issuer"])
    def test_needs_a_registry_key(self, key: PrivateKey) -> None:
        log = Log()
        forged = sign_checkpoint(replace(log.last.checkpoint, kid=key.public.kid), key)
        with pytest.raises(ValueError, match="not a registry key valid"):
            make_trust_root(forged, log.notices)

    def test_needs_its_keys_own_signature(self) -> None:
        log = Log()
        with pytest.raises(ValueError, match="signature is not valid"):
            make_trust_root(sign_checkpoint(log.last.checkpoint, STRANGER), log.notices)

    def test_of_contradicting_notices_could_not_be_used(self) -> None:
        trust = Log(notices=(key_added(Role.REGISTRY, STRANGER.public, START),)).trust()
        twice = replace(trust.notices.notices[2], data={**ADDED[1][1], "valid_from": format_time(T + 1)})
        data = replace(
            trust, notices=replace(trust.notices, notices=(*trust.notices.notices[:2], twice))
        ).format()
        with pytest.raises(CouldNotCheckError, match="no key has two"):
            parse_trust(data)
