"""The details of problems: each names what was found and wanted, and nothing hostile is left in it."""

import pytest

from attestlayer.encoding import format_hash, sha256
from attestlayer.visible import visible
from handlers.client import Site

HOSTILE = "x\x1b[2J\x9b31m\u202egnp\u2028\u200b\r\n"
HASH = format_hash(sha256(b"no such thing"))


@pytest.mark.parametrize("limit", ["0", "101", "1000", "ten", "4_2", "-1"])
@pytest.mark.parametrize("path", ["/v1/packets", "/v1/workspace/credits"])
def test_a_limit_names_both_of_its_bounds(site: Site, path: str, limit: str) -> None:
    got = site.call("GET", f"{path}?limit={limit}")
    assert got.code == "invalid-request"
    assert f"'{limit}' is not a decimal integer from 1 to 100" in got.detail


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (f"/v1/proofs/inclusion?leaf_hash={HASH}", f"no entry with the leaf hash {HASH}"),
        (f"/v1/proofs/inclusion/{HASH}.json", f"no entry with the leaf hash {HASH}"),
        (f"/v1/checkpoints/{HASH}.json", f"no checkpoint with the hash {HASH}"),
        (f"/v1/policies/{HASH}.json", f"no policy with the hash {HASH}"),
        ("/v1/nothing", "there is nothing at '/v1/nothing'"),
    ],
)
def test_what_the_registry_does_not_have_is_named(site: Site, target: str, said: str) -> None:
    got = site.raw("GET", target)
    assert got.code == "not-found"
    assert said in got.detail


@pytest.mark.parametrize("blank", ["", "  ", "\u3000\n"])
def test_a_blank_name_is_refused(site: Site, blank: str) -> None:
    contact = {"name": blank, "email": "a@b", "role": "owner"}
    got = site.call("PUT", "/v1/workspace/contacts", {"contacts": [contact]})
    assert (got.code, got.json["errors"][0]["pointer"]) == ("invalid-request", "/contacts/0/name")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        (
            "POST",
            "/v1/qualifications",
            {"tier": HOSTILE, "contact": HOSTILE, "workflow": 7, HOSTILE: HOSTILE},
        ),
        ("POST", "/v1/packets", {"lane_id": HOSTILE, "profile_id": HOSTILE, "reference": HOSTILE}),
        ("PUT", "/v1/workspace/contacts", {"contacts": [{HOSTILE: [HOSTILE, {HOSTILE: None}]}]}),
    ],
)
def test_no_detail_holds_a_hostile_byte(site: Site, method: str, path: str, body: object) -> None:
    got = site.call(method, path, body, Idempotency_Key="k")
    assert got.status in {400, 422}
    for text in (got.detail, *(fault["detail"] for fault in got.json["errors"])):
        assert text == visible(text)


def test_a_state_is_not_said_to_be_a_packets(site: Site) -> None:
    packet = site.open()
    assert site.call("DELETE", f"/v1/packets/{packet}").status == 200
    got = site.call("POST", f"/v1/packets/{packet}/check")
    assert (got.code, got.json["title"]) == ("wrong-state", "The current state does not allow this")
