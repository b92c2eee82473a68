"""Workspace, credits, lanes, packets' lists and waiting, qualifications, over HTTP."""

import csv
import io
import threading
from itertools import pairwise

import pydantic_core
import pytest

from handlers.client import LANE, PROFILE, Site, newcomer
from issuer.model import CreditEntry, CreditKind


def test_a_workspace_shows_tier_balance_reserve_contacts_and_term(site: Site) -> None:
    entry = CreditEntry(
        f"r-{site.workspace_id}",
        site.workspace_id,
        1,
        CreditKind.RESERVED,
        3,
        "available",
        "reserved:spring",
        "x",
    )
    site.service.ledger.post_credits(entry)
    contacts = [{"name": "Ada Ünal", "email": "ada@partner.test", "role": "operations"}]
    put = site.call("PUT", "/v1/workspace/contacts", {"contacts": contacts})
    got = site.call("GET", "/v1/workspace").json
    assert put.json == got
    assert got["contacts"] == contacts
    assert (got["tier"], got["open_packets_limit"]) == ("growth", 25)
    assert (got["credits_available"], got["credits_reserved"]) == (7, [{"cohort": "spring", "credits": 3}])
    assert got["term_ends_at"].endswith("Z")
    assert site.call("PUT", "/v1/workspace/contacts", {"contacts": []}).json["contacts"] == []


def test_the_credit_ledger_is_paged_as_json_and_as_a_table(site: Site) -> None:
    for number in range(5):
        site.service.workspaces.grant(site.workspace_id, number + 1, f'=cmd|"{number}", x')
    pages, after = [], ""
    while True:
        got = site.call("GET", f"/v1/workspace/credits?limit=2{after}")
        pages.append(got.json["credits"])
        if not got.json["has_more"]:
            assert "Link" not in got.headers
            break
        assert got.headers["Link"].endswith('; rel="next"')
        after = f"&starting_after={pages[-1][-1]['entry_id']}"
        assert got.headers["Link"].startswith(f"</v1/workspace/credits?{after[1:]}&limit=2>")
    assert [len(page) for page in pages] == [2, 2, 2]
    lines = [line for page in pages for line in page]
    assert [line["amount"] for line in lines] == [10, 1, 2, 3, 4, 5]

    table = site.call("GET", "/v1/workspace/credits", Accept="text/csv")
    assert table.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(table.body.decode())))
    assert [int(row["amount"]) for row in rows] == [10, 1, 2, 3, 4, 5]
    assert rows[1]["reference"] == '\'=cmd|"0", x'  # no formula for a spreadsheet


def test_packets_are_listed_newest_first_in_pages(site: Site) -> None:
    made = [site.open(reference=f"client {number}") for number in range(5)]
    first = site.call("GET", "/v1/packets?limit=3").json
    second = site.call("GET", f"/v1/packets?starting_after={first['packets'][-1]['packet_id']}&limit=3").json
    assert (first["has_more"], second["has_more"]) == (True, False)
    found = [*first["packets"], *second["packets"]]
    assert {each["packet_id"] for each in found} == set(made)
    assert all(a["opened_at"] >= b["opened_at"] for a, b in pairwise(found))
    assert "records" not in found[0]


@pytest.mark.parametrize("path", ["/v1/packets", "/v1/workspace/credits"])
@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=101", "limit=-1", "limit=1_0", "limit=%201", "limit=", "limit=1&limit=2"),
        *(
            "limit=%D9%A1",
            "starting_after=nothing",
            "starting_after=",
            "start=x",
            "limit",
            "%ff=1",
            "&",
            "=1",
        ),
    ],
)
def test_a_page_that_is_none_is_refused(site: Site, path: str, query: str) -> None:
    got = site.call("GET", f"{path}?{query}")
    assert got.status in (400, 422)
    assert got.code in ("invalid-request", "malformed-request")
    if got.status == 422:
        assert got.json["errors"][0]["pointer"].startswith("/query")


def test_the_last_items_page_is_empty_and_no_error(site: Site) -> None:
    packet_id = site.open()
    assert site.call("GET", f"/v1/packets?starting_after={packet_id}").json == {
        "packets": [],
        "has_more": False,
    }
    (line,) = site.call("GET", "/v1/workspace/credits").json["credits"]
    assert site.call("GET", f"/v1/workspace/credits?starting_after={line['entry_id']}").json["credits"] == []


def test_another_workspaces_items_are_no_cursors(site: Site, server: Site) -> None:
    other = newcomer(server.service, server.url)
    packet_id = other.open()
    (line,) = other.call("GET", "/v1/workspace/credits").json["credits"]
    assert site.call("GET", f"/v1/packets?starting_after={packet_id}").status == 422
    assert site.call("GET", f"/v1/workspace/credits?starting_after={line['entry_id']}").status == 422


def test_lanes_say_in_words_and_as_data_what_a_packet_needs(site: Site) -> None:
    lanes = site.call("GET", "/v1/lanes").json["lanes"]
    assert [lane["lane_id"] for lane in lanes] == [
        "AGENT-01",
        "DORA",
        "HUMAN-01",
        "ID-01",
        "PAY-01",
        "VENDOR",
    ]
    for lane in lanes:
        for profile in lane["profiles"]:
            got = site.call("GET", f"/v1/lanes/{lane['lane_id']}/{profile['profile_id']}").json
            assert got["profile"] == profile
            assert got["policy"]["schema"] == "attestlayer/intake-policy/1"
            assert any(each["min_count"] for each in got["record_types"])
            assert all(each["sentence"] and each["fix"] for each in got["checks"])


def test_a_packet_says_which_records_it_needs(site: Site) -> None:
    body = {"lane_id": LANE, "profile_id": PROFILE, "reference": "client 7"}
    got = site.call("POST", "/v1/packets", body, Idempotency_Key="k")
    assert got.headers["Location"] == f"/v1/packets/{got.json['packet_id']}"
    assert got.json["state"] == "open"
    kinds = {each["record_type"]: each for each in got.json["record_types"]}
    assert kinds["authority"]["min_count"] == 1
    assert kinds["approval"]["media_types"]
    assert site.packet(got.json["packet_id"]) == got.json


def test_waiting_ends_with_the_change_of_state(site: Site) -> None:
    packet_id = site.open()
    withdrawing = threading.Timer(0.3, site.call, ("DELETE", f"/v1/packets/{packet_id}"))
    withdrawing.start()
    began = site.service.clock.now()
    got = site.call("GET", f"/v1/packets/{packet_id}", Prefer="respond-async, wait=20")
    assert got.json["state"] == "withdrawn"
    assert got.headers["Preference-Applied"] == "wait=20"
    assert site.service.clock.now() - began < 10
    withdrawing.join()


def test_waiting_ends_after_its_time_and_not_at_all_for_a_last_state(site: Site) -> None:
    packet_id = site.open()
    got = site.call("GET", f"/v1/packets/{packet_id}", Prefer="wait=1")
    assert (got.json["state"], got.headers["Preference-Applied"]) == ("open", "wait=1")
    site.call("DELETE", f"/v1/packets/{packet_id}")
    began = site.service.clock.now()
    assert "Preference-Applied" not in site.call("GET", f"/v1/packets/{packet_id}", Prefer="wait=20").headers
    assert site.service.clock.now() - began < 10


def test_a_request_to_take_part_needs_no_key(site: Site) -> None:
    contact = {"name": "Ada", "email": "ada@partner.test", "role": "head"}
    body = b'{"tier":"growth","workflow":"We move money.","contact":%s}'
    got = site.raw(
        "POST",
        "/v1/qualifications",
        body % pydantic_core.to_json(contact),
        {"Content-Type": "application/json"},
    )
    assert (got.status, got.json["state"], got.json["tier"]) == (201, "received", "growth")
    stored = site.service.ledger.qualification(got.json["qualification_id"])
    assert stored is not None
    assert stored.workflow == "We move money."


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"tier": "platinum"}, "/tier"),
        ({"workflow": ""}, "/workflow"),
        ({"contact": {"name": "A", "email": "a", "role": "r"}}, "/contact/email"),
        ({"contact": {"name": "A", "email": "a@b\n", "role": "r"}}, "/contact/email"),
        ({"contact": {"name": "A", "email": "a@b"}}, "/contact/role"),
        ({"credits": 5}, "/credits"),
    ],
)
def test_a_request_to_take_part_with_a_wrong_value_is_pointed_at(
    site: Site, changes: dict[str, object], pointer: str
) -> None:
    body = {
        "tier": "growth",
        "workflow": "We move money.",
        "contact": {"name": "Ada", "email": "ada@partner.test", "role": "head"},
    }
    before = len(site.service.ledger.qualifications())
    got = site.call("POST", "/v1/qualifications", body | changes)
    assert (got.status, got.code) == (422, "invalid-request")
    assert pointer in [each["pointer"] for each in got.json["errors"]]
    assert len(site.service.ledger.qualifications()) == before


def test_every_answer_has_a_request_id_of_its_own_and_is_not_cached(site: Site) -> None:
    answers = [site.call("GET", path) for path in ("/v1/workspace", "/v1/packets/x", "/v1/openapi.json")]
    answers += [site.raw("GET", "/v1/stats"), site.raw("GET", "/nothing"), site.raw("POST", "/uploads", b"")]
    assert len({got.headers["Request-Id"] for got in answers}) == len(answers)
    for got in answers[:2]:
        assert got.headers["Cache-Control"] == "no-store"
        assert got.headers["X-Content-Type-Options"] == "nosniff"
