"""Idempotency-Key over HTTP: once carried out, the same answer for ever; races cost one credit."""

import secrets
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from handlers.client import PACKET, Got, Site, newcomer
from issuer.model import Claim

THREADS = 16


def at_once(calls: int, call: object) -> list[Got]:
    barrier = Barrier(calls)

    def run(number: int) -> Got:
        barrier.wait()
        return call(number)  # type: ignore[no-any-return, operator]

    with ThreadPoolExecutor(calls) as pool:
        return list(pool.map(run, range(calls)))


def test_the_first_answer_is_replayed(site: Site) -> None:
    first = site.call("POST", "/v1/packets", PACKET, Idempotency_Key="k")
    again = site.call(
        "POST",
        "/v1/packets",
        b' {"reference":"client 7",\n "profile_id": "wire-transfer","lane_id":"PAY-01"}',
        Idempotency_Key="k",
    )
    assert (again.status, again.body) == (first.status, first.body) == (201, first.body)
    assert again.headers["Location"] == first.headers["Location"]
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(site.call("GET", "/v1/packets").json["packets"]) == 1


def test_a_pass_is_replayed_after_everything_has_moved_on(site: Site) -> None:
    packet_id = site.open()
    site.fill(packet_id)
    nonce = site.nonce()
    first = site.issue(packet_id, nonce, "k")
    site.publish()
    again = site.issue(packet_id, nonce, "k")
    assert (again.status, again.body) == (202, first.body)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert site.balance() == 9


def test_a_fail_is_bound_to_its_key_and_another_key_tries_again(site: Site) -> None:
    packet_id = site.open()
    site.fill(packet_id, without="authority")
    nonce = site.nonce()
    failed = site.issue(packet_id, nonce, "k")
    assert failed.json["outcome"] == "FAIL"
    site.service.clock.sleep(0)
    assert site.issue(packet_id, nonce, "k").body == failed.body
    assert len(site.packet(packet_id)["attempts"]) == 1


def test_a_key_of_a_call_that_failed_is_free_for_the_same_request(server: Site) -> None:
    site = newcomer(server.service, server.url, granted=0)
    packet_id = site.open()
    site.fill(packet_id)
    nonce = site.nonce()
    assert site.issue(packet_id, nonce, "k").code == "no-credits"
    site.service.workspaces.grant(site.workspace_id, 1, "paid")
    assert site.issue(packet_id, nonce, "k").status == 202


def test_a_key_of_a_packet_that_was_not_opened_is_free_at_once(site: Site) -> None:
    for _ in range(2):
        got = site.call("POST", "/v1/packets", PACKET | {"lane_id": "PAY-99"}, Idempotency_Key="k")
        assert got.code == "unknown-lane"


def test_a_key_of_a_running_call_is_in_progress(site: Site) -> None:
    assert site.call("POST", "/v1/packets", PACKET | {"cohort": "c"}, Idempotency_Key="other").status == 201
    body = b'{"lane_id":"PAY-01","profile_id":"wire-transfer","reference":"client 7"}'
    held = site.service.packets.claim(site.workspace_id, "k", b"POST /v1/packets\n" + body)
    assert isinstance(held, Claim)
    got = site.call("POST", "/v1/packets", PACKET, Idempotency_Key="k")
    assert (got.status, got.code) == (409, "in-progress")
    assert 1 <= int(got.headers["Retry-After"]) <= 61
    site.service.ledger.release(held)
    assert site.call("POST", "/v1/packets", PACKET, Idempotency_Key="k").status == 201


def test_keys_of_workspaces_do_not_meet(site: Site) -> None:
    other = site.service.workspaces.provision("Other", "growth").workspace_id
    key = site.service.workspaces.make_key(other, "theirs")
    ours = site.call("POST", "/v1/packets", PACKET, Idempotency_Key="k")
    theirs = site.call("POST", "/v1/packets", PACKET, key=key, Idempotency_Key="k")
    assert theirs.status == 201
    assert theirs.json["packet_id"] != ours.json["packet_id"]


def test_one_key_in_many_threads_opens_one_packet(site: Site) -> None:
    found = at_once(THREADS, lambda _: site.call("POST", "/v1/packets", PACKET, Idempotency_Key="race"))
    assert {got.status for got in found} <= {201, 409}
    assert len({got.body for got in found if got.status == 201}) == 1
    assert len(site.call("GET", "/v1/packets").json["packets"]) == 1


@pytest.mark.parametrize("same_key", [True, False], ids=["one key", "a key each"])
def test_many_threads_issue_one_packet_for_one_credit(site: Site, same_key: bool) -> None:
    packet_id = site.open()
    site.fill(packet_id)
    nonces = [site.nonce() for _ in range(1 if same_key else THREADS)]

    def issue(number: int) -> Got:
        key = "race" if same_key else secrets.token_hex(8)
        return site.issue(packet_id, nonces[0 if same_key else number], key)

    found = at_once(THREADS, issue)
    assert {got.status for got in found} <= {202, 409, 429}  # 429: so many are examined already
    assert len({got.body for got in found if got.status == 202}) == 1
    assert site.balance() == 9
    assert [line["kind"] for line in site.call("GET", "/v1/workspace/credits").json["credits"]] == [
        "granted",
        "consumed",
    ]
    if same_key:
        assert site.issue(packet_id, nonces[0], "race").status == 202
    site.publish()
    assert site.packet(packet_id)["state"] == "issued"


def test_one_nonce_in_many_threads_is_used_once(site: Site) -> None:
    packets = [site.open() for _ in range(4)]
    for packet_id in packets:
        site.fill(packet_id)
    nonce = site.nonce()
    found = at_once(len(packets), lambda number: site.issue(packets[number], nonce))
    assert sorted(got.status for got in found) == [202, 422, 422, 422]
    assert {got.code for got in found if got.status == 422} == {"nonce-used"}
    assert site.balance() == 9


@pytest.fixture
def nervous() -> Iterator[None]:
    """Threads take turns at almost every instruction."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("nervous")
def test_threads_do_not_see_each_others_requests(site: Site) -> None:
    """A router that kept its request in a place that threads share would mix these answers."""
    keys = []
    for number in range(8):
        workspace = site.service.workspaces.provision(f"partner {number}", "starter")
        keys.append((workspace.workspace_id, site.service.workspaces.make_key(workspace.workspace_id, "k")))

    def ask(number: int) -> Got:
        workspace_id, key = keys[number]
        for turn in range(25):
            contact = {"name": f"{number}.{turn}", "email": "a@b", "role": "r"}
            got = site.call("PUT", "/v1/workspace/contacts", {"contacts": [contact]}, key=key)
            assert (got.status, got.json["workspace_id"]) == (200, workspace_id)
            assert got.json["contacts"] == [contact]
        return got

    assert len(at_once(len(keys), ask)) == len(keys)
