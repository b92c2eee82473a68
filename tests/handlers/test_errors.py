"""Every code that the API can answer, over HTTP, and what it leaves unchanged."""

import secrets
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from attestlayer.encoding import format_hash, sha256
from attestlayer.kit.receipt import Nonce
from handlers.client import PACKET, Site, newcomer, open_with
from issuer.bootstrap import process
from issuer.errors import Code, LogHaltedError, ServiceError, StoreError
from issuer.kits.names import delivered_object
from issuer.services.workspace import READ


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer x", "Basic eDp5", "Bearer al_live_", "Bearer al_live_" + "0" * 49, "al_live_x"],
)
def test_a_missing_or_mistyped_key_is_unauthenticated(site: Site, authorization: str) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    got = site.raw("GET", "/v1/workspace", headers=headers)
    assert (got.status, got.code) == (401, "unauthenticated")
    assert got.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_revoked_or_expired_key_is_unauthenticated(site: Site) -> None:
    for changes in ({"revoked_at": 1}, {"expires_at": 1}):
        text = site.service.workspaces.make_key(site.workspace_id, "old")
        stored = site.service.workspaces.authenticate(f"Bearer {text}", READ)
        site.service.ledger.put_api_key(replace(stored, **changes))
        got = site.call("GET", "/v1/workspace", key=text)
        assert (got.status, got.code) == (401, "unauthenticated")
        assert text not in got.body.decode()


def test_without_a_key_nothing_is_told_of_a_body(site: Site) -> None:
    got = site.raw("POST", "/v1/packets", b"{", {"Content-Type": "text/plain"})
    assert got.code == "unauthenticated"


def test_a_key_that_may_only_read_is_forbidden_to_write(site: Site) -> None:
    key = site.service.workspaces.make_key(site.workspace_id, "reader", scopes=(READ,))
    assert site.call("GET", "/v1/workspace", key=key).status == 200
    packet_id = site.open()
    calls = [
        *(("POST", "/v1/packets"), ("DELETE", f"/v1/packets/{packet_id}"), ("PUT", "/v1/workspace/contacts")),
        *((("POST", f"/v1/packets/{packet_id}/{part}")) for part in ("records", "check", "issue")),
    ]
    for method, path in calls:
        got = site.call(method, path, {}, key=key)
        assert (got.status, got.code) == (403, "forbidden"), path


def test_no_credits_is_402_and_nothing_changes(server: Site) -> None:
    site = newcomer(server.service, server.url, granted=0)
    packet_id = site.open()
    site.fill(packet_id)
    before = site.packet(packet_id)
    nonce, key = site.nonce(), "k"
    got = site.issue(packet_id, nonce, key)
    assert (got.status, got.code) == (402, "no-credits")
    assert "0 credits" in got.detail
    assert site.packet(packet_id) == before
    site.service.workspaces.grant(site.workspace_id, 1, "later")
    assert site.issue(packet_id, nonce, key).status == 202
    assert site.balance() == 0


def test_a_fail_is_told_with_its_blockers_even_without_credits(server: Site) -> None:
    site = newcomer(server.service, server.url, granted=0)
    packet_id = site.open()
    site.fill(packet_id, without="authority")
    got = site.issue(packet_id)
    assert (got.status, got.json["outcome"], got.json["credits_consumed"]) == (200, "FAIL", 0)
    assert any(each["record_type"] == "authority" for each in got.json["blocker_report"]["blockers"])


def test_somebody_elses_packet_is_not_found(site: Site) -> None:
    packet_id = site.open()
    other = site.service.workspaces.provision("Other", "starter").workspace_id
    key = site.service.workspaces.make_key(other, "theirs")
    paths = ["", "/blockers", "/kit"]
    for path in paths:
        theirs = site.call("GET", f"/v1/packets/{packet_id}{path}", key=key)
        nobodys = site.call("GET", f"/v1/packets/pkt_0{path}", key=key)
        assert theirs.status == nobodys.status == 404
        assert theirs.code == nobodys.code == "not-found"
    for method, path in [("DELETE", ""), ("POST", "/check"), ("DELETE", "/records/rec_0")]:
        assert site.call(method, f"/v1/packets/{packet_id}{path}", key=key).status == 404
    record = {"name": "a", "record_type": "b", "size": 1, "sha256": format_hash(sha256(b"a"))}
    assert site.call("POST", f"/v1/packets/{packet_id}/records", record, key=key).status == 404
    issue = f"/v1/packets/{packet_id}/issue"
    assert site.call("POST", issue, {"client_nonce": "x"}, key=key, Idempotency_Key="k").status == 404
    assert site.call("GET", "/v1/packets", key=key).json["packets"] == []
    assert site.packet(packet_id)["state"] == "open"


@pytest.mark.parametrize(
    "path",
    [
        "/v1/packets/",
        "/v1/packets/a/b",
        "/v1/workspace/x",
        "/v1/lanes/a",
        "/v1/packets/a/issue/",
        "/v1/lanes/",
    ],
)
def test_an_unknown_path_is_not_found(site: Site, path: str) -> None:
    assert (site.call("GET", path).status, site.call("GET", path).code) == (404, "not-found")


def test_an_unknown_lane_or_profile_names_those_that_exist(site: Site) -> None:
    got = open_with(site, PACKET | {"lane_id": "PAY-99"})
    assert (got.status, got.code) == (422, "unknown-lane")
    assert "'PAY-99'" in got.detail
    assert "PAY-01" in got.detail
    got = open_with(site, PACKET | {"profile_id": "cheque"})
    assert (got.status, got.code) == (422, "unknown-lane")
    assert "wire-transfer" in got.detail
    assert site.call("GET", "/v1/lanes/PAY-01/cheque").code == "not-found"
    assert site.call("GET", "/v1/packets").json["packets"] == []


def test_a_packet_in_another_state_is_named(site: Site) -> None:
    packet_id = site.open()
    assert site.call("DELETE", f"/v1/packets/{packet_id}").json["state"] == "withdrawn"
    for method, path, body in [
        ("DELETE", "", None),
        ("POST", "/check", None),
        ("GET", "/blockers", None),
        ("GET", "/kit", None),
        ("POST", "/records", {"name": "a", "record_type": "b", "size": 1, "sha256": format_hash(b"a" * 32)}),
    ]:
        got = site.call(method, f"/v1/packets/{packet_id}{path}", body)
        assert (got.status, got.code) == (409, "wrong-state"), path
        assert "withdrawn" in got.detail
    got = site.issue(packet_id)
    assert (got.status, got.code) == (409, "wrong-state")


def test_a_sealed_packet_is_not_issued_again(site: Site) -> None:
    packet_id = site.open()
    site.fill(packet_id)
    assert site.issue(packet_id).status == 202
    got = site.issue(packet_id)
    assert (got.status, got.code) == (409, "wrong-state")
    assert "sealed" in got.detail
    site.publish()
    assert site.issue(packet_id).code == "wrong-state"
    assert site.packet(packet_id)["state"] == "issued"
    assert site.balance() == 9


def test_a_kit_that_is_not_finished_says_when_to_ask_again(site: Site) -> None:
    packet_id = site.open()
    got = site.call("GET", f"/v1/packets/{packet_id}/kit")
    assert (got.status, got.code, got.headers["Retry-After"]) == (409, "not-ready", "1")
    site.fill(packet_id)
    site.issue(packet_id)
    got = site.call("GET", f"/v1/packets/{packet_id}/kit")
    assert (got.status, got.code, got.headers["Retry-After"]) == (409, "not-ready", "1")
    assert "sealed" in got.detail


def test_a_kit_whose_retention_ended_is_gone_and_one_that_is_missed_is_a_failure(site: Site) -> None:
    packet_id = site.open()
    site.fill(packet_id)
    kit_id = site.issue(packet_id).json["kit_id"]
    site.publish()
    site.service.private.delete(delivered_object(kit_id))
    assert site.call("GET", f"/v1/packets/{packet_id}/kit").code == "storage-failed"
    packet = site.service.packets.get(site.workspace_id, packet_id)
    site.service.ledger.replace_packet(replace(packet, delivered_at=1, version=packet.version + 1))
    got = site.call("GET", f"/v1/packets/{packet_id}/kit")
    assert (got.status, got.code, got.detail) == (
        410,
        "kit-deleted",
        f"{kit_id} was kept for 90 days after delivery",
    )


def test_the_tiers_number_of_open_packets_is_a_limit(server: Site) -> None:
    site = newcomer(server.service, server.url, tier="starter")
    for _ in range(3):
        last = site.open()
    got = open_with(site, PACKET)
    assert (got.status, got.code) == (409, "packet-limit")
    site.call("DELETE", f"/v1/packets/{last}")
    assert open_with(site, PACKET).status == 201


def test_a_body_of_more_than_a_mebibyte_is_too_large(site: Site) -> None:
    for length in (1_048_577, 7_000_000):
        got = open_with(site, b'{"reference":"' + b"x" * length + b'"}')
        assert (got.status, got.code) == (413, "too-large")


def test_a_key_used_for_another_request_is_a_mismatch(site: Site) -> None:
    assert open_with(site, PACKET, Idempotency_Key="k").status == 201
    got = open_with(site, PACKET | {"reference": "client 8"}, Idempotency_Key="k")
    assert (got.status, got.code) == (422, "idempotency-mismatch")
    packet_id = site.open()
    assert site.issue(packet_id, "x", "k").code == "idempotency-mismatch"


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "attestlayer-nonce/1\n-\n\n", "attestlayer-nonce/2\n-\n" + "A" * 43 + "\n"),
        *("attestlayer-nonce/1\n-\n" + "A" * 42 + "B\n", "attestlayer-nonce/1\r\n-\r\n" + "A" * 43 + "\r\n"),
        *("attestlayer-nonce/1\n-\n" + "A" * 43, "attestlayer-nonce/1\n-\n" + "Ä" * 43 + "\n", "x" * 900),
    ],
)
def test_a_malformed_nonce_changes_nothing(site: Site, text: str) -> None:
    packet_id = site.open()
    before = site.packet(packet_id)
    got = site.issue(packet_id, text)
    assert (got.status, got.code) == (400, "nonce-malformed")
    assert site.packet(packet_id) == before
    assert site.balance() == 10


def test_a_nonce_that_was_used_changes_nothing(site: Site) -> None:
    first, second = site.open(), site.open()
    for packet_id in (first, second):
        site.fill(packet_id)
    nonce = site.nonce()
    assert site.issue(first, nonce).status == 202
    before = site.packet(second)
    got = site.issue(second, nonce)
    assert (got.status, got.code) == (422, "nonce-used")
    assert site.packet(second) == before
    assert site.balance() == 9


def test_a_nonce_of_an_unknown_checkpoint_changes_nothing(site: Site) -> None:
    packet_id = site.open()
    site.fill(packet_id)
    before = site.packet(packet_id)
    unknown = sha256(b"another log's checkpoint")
    got = site.issue(packet_id, Nonce(unknown, secrets.token_bytes(32)).format().decode())
    assert (got.status, got.code) == (422, "nonce-checkpoint-unknown")
    assert format_hash(unknown) in got.detail
    assert site.packet(packet_id) == before
    assert site.balance() == 10


def test_a_log_that_stands_still_takes_no_promise(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    packet_id = site.open()
    site.fill(packet_id)
    nonce = site.nonce()
    with monkeypatch.context() as patched:
        clock = site.service.clock
        patched.setattr(type(clock), "now", lambda _, now=clock.now: now() + 400)
        got = site.issue(packet_id, nonce, "k")
        assert (got.status, got.code, got.headers["Retry-After"]) == (503, "log-stalled", "60")
    assert site.balance() == 10
    assert site.issue(packet_id, nonce, "k").status == 202


@pytest.fixture
def broken(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Exception]]:
    """The ledger raises what the list holds."""
    raised: list[Exception] = []

    def fail(*_: object) -> Any:
        raise raised[0]

    monkeypatch.setattr(type(process.service().ledger), "workspace", fail)
    yield raised


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (StoreError("ledger /srv/secret/ledger.sqlite: the disk is full"), 503, "storage-failed"),
        (ServiceError(Code.KEY_UNUSABLE, "/srv/secret/issuer.key"), 500, "key-unusable"),
        (ServiceError(Code.INTERNAL, "/srv/secret"), 500, "internal"),
        (ZeroDivisionError("/srv/secret"), 500, "internal"),
        (RecursionError(), 500, "internal"),
    ],
)
def test_our_own_failures_tell_no_details(
    site: Site, broken: list[Exception], error: Exception, status: int, code: str
) -> None:
    broken.append(error)
    got = site.call("GET", "/v1/workspace")
    assert (got.status, got.code) == (status, code)
    assert "secret" not in got.body.decode()


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (LogHaltedError("the log waits for its operator"), 503, "log-stalled"),
        (ServiceError(Code.RATE_LIMITED, "too many", retry_after_s=7), 429, "rate-limited"),
        (
            ServiceError(Code.CHANGED_MEANWHILE, "workspace is not stored in version 1"),
            409,
            "changed-meanwhile",
        ),
        (ServiceError(Code.ALREADY_EXISTS, "it is there"), 409, "already-exists"),
    ],
)
def test_what_the_caller_can_do_something_about_is_told(
    site: Site, broken: list[Exception], error: ServiceError, status: int, code: str
) -> None:
    broken.append(error)
    got = site.call("GET", "/v1/workspace")
    assert (got.status, got.code, got.detail) == (status, code, error.detail)
    assert got.headers.get("retry-after") == ("7" if code == "rate-limited" else None)
