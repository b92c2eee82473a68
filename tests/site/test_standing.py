"""A lawful withdrawal, a revoked key and a late merge are no faults: each place says what is true.

From issue to withdrawal by the operator's command, then: audit, reconcile, the API, verification with a fresh
and with an old trust root, and the entry's page in a browser.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from attestlayer.cli.main import main as attestlayer
from attestlayer.encoding import format_hash, format_time, parse_time
from attestlayer.keys import PublicKey
from attestlayer.log.notices import Role, key_added
from attestlayer.log.trust import TrustRoot
from handlers.client import Site
from issuer.bootstrap.service import Service
from issuer.cli.main import main
from issuer.log import face
from issuer.log.store import LogPorts
from issuer.model import Issued
from issuer.settings import Settings
from support.browsers import Browser, Page
from support.home import issue_sample
from support.log import ISSUER, REGISTRY, SeedSigner, TestLog, queue, wait
from support.registry_site import served, served_service
from support.site_pages import publish

REASON = "issued-in-error"
FOUND = "document.querySelector('[data-result] .verdict')"
RED = "return document.querySelectorAll('[data-result] .bad').length"
TITLE = "[data-result] .verdict h2"


def entry_page(browser: Browser, url: str, leaf_hash: str) -> Page:
    page = browser.open(f"{url}/entry.html#{leaf_hash}", height=1500)
    page.wait_for(FOUND)
    return page


def said(page: Page) -> str:
    return page.text("[data-result]")


@dataclass(frozen=True)
class Withdrawn:
    """A kit that was issued and withdrawn, its service, and a trust root from before the withdrawal."""

    service: Service
    url: str
    kit: Path
    old: Path
    fresh: Path
    issued: Issued
    workspace: str
    packet: str
    trust: TrustRoot

    @property
    def home(self) -> str:
        assert isinstance(self.service.settings, Settings)
        return str(self.service.settings.home)


@pytest.fixture(scope="module")
def withdrawn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Withdrawn]:
    folder = tmp_path_factory.mktemp("withdrawn")
    made = issue_sample(folder)
    service = made.service
    (workspace,) = service.ledger.workspaces()
    (packet,) = service.ledger.packets(workspace.workspace_id, None, 9)
    assert packet.issued and isinstance(service.settings, Settings)
    old = folder / "old.json"
    old.write_bytes(face.read_trust_root(service.public).format())
    names = (workspace.workspace_id, packet.issued.kit_id)
    home = ("--home", str(service.settings.home))
    assert main(["kit", "withdraw", *home, *names, "--reason", REASON]) == 0
    assert main(["reconcile", *home]) == 0, "queued, not public yet: the books are right all the while"
    before = face.read_trust_root(service.public).notices
    while (trust := face.read_trust_root(service.public)).notices == before:
        assert main(["sequence", *home, "--cadence", "1"]) == 0
        time.sleep(0.05)
    fresh = folder / "fresh.json"
    fresh.write_bytes(trust.format())
    service.publish()
    with served_service(service) as url:
        ids = (packet.issued, workspace.workspace_id, packet.packet_id)
        yield Withdrawn(service, url, made.kit, old, fresh, *ids, trust)


def withdrawn_at(kit: Withdrawn) -> int:
    (notice,) = (each for each in kit.trust.notices.notices if each.type == "kit.withdrawn")
    return notice.at


def test_the_books_are_right_and_a_note_says_why_the_kit_does_not_verify(
    withdrawn: Withdrawn, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["reconcile", "--home", withdrawn.home]) == 0
    out = capsys.readouterr().out
    assert f"note       kit-withdrawn {withdrawn.packet}: kit-withdrawn: " in out
    assert "result     0 findings, 1 notes" in out
    assert main(["audit", "--home", withdrawn.home]) == 0
    out = capsys.readouterr().out
    assert out.startswith("CLEAN: audit of registry.test")
    assert f"note       ledger: kit-withdrawn {withdrawn.packet}: " in out
    root = str(Path(withdrawn.home, "registry"))
    assert attestlayer(["audit", root, "--trust", str(withdrawn.old)]) == 0


def test_the_api_says_withdrawn_with_time_and_reason(withdrawn: Withdrawn) -> None:
    key = withdrawn.service.workspaces.make_key(withdrawn.workspace, "test")
    site = Site(withdrawn.service, withdrawn.url, withdrawn.workspace, key)
    for packet in (
        site.call("GET", f"/v1/packets/{withdrawn.packet}").json,
        site.call("GET", "/v1/packets").json["packets"][0],
    ):
        assert packet["state"] == "withdrawn"
        issued = packet["issued"]
        assert issued["withdrawal_reason"] == REASON
        assert 0 <= withdrawn_at(withdrawn) - parse_time(issued["withdrawn_at"]) < 60
        assert issued["kit_id"] == withdrawn.issued.kit_id
        assert issued["deleted_at"] is None
    # The kit can still be fetched: it is evidence of what was issued, and says itself what became of it.
    assert site.call("GET", f"/v1/packets/{withdrawn.packet}/kit").status == 303
    described = site.call("GET", "/v1/openapi.json").json["components"]["schemas"]
    assert {"withdrawn_at", "withdrawal_reason", "deleted_at"} <= set(described["IssuedAnswer"]["properties"])


def test_a_fresh_trust_root_knows_of_it_and_an_old_one_does_not_claim_to(
    withdrawn: Withdrawn, capsys: pytest.CaptureFixture[str]
) -> None:
    code = attestlayer(["verify", str(withdrawn.kit), "--trust", str(withdrawn.fresh), "--json"])
    fresh = json.loads(capsys.readouterr().out)  # noqa: TID251
    assert code == fresh["exit_code"] != 0
    assert fresh["verdict"] == "NOT VERIFIED"
    assert [each["reason"] for step in fresh["steps"] for each in step["failures"]] == ["kit-withdrawn"]
    assert attestlayer(["verify", str(withdrawn.kit), "--trust", str(withdrawn.old), "--json"]) == 0
    old = json.loads(capsys.readouterr().out)  # noqa: TID251
    assert old["verdict"] == "VERIFIED"


def test_the_page_of_a_withdrawn_entry_shows_it_and_asks_nobody_to_report_it(
    browser: Browser, withdrawn: Withdrawn, tmp_path: Path
) -> None:
    leaf_hash = _leaf(withdrawn)
    page = entry_page(browser, withdrawn.url, leaf_hash)
    text = said(page)
    assert page.text(TITLE) == "Entry 0 of the public registry: withdrawn"
    on = format_time(withdrawn_at(withdrawn)).replace("T", " ").replace("Z", " UTC")
    assert f"AttestLayer withdrew this kit on {on}, reason: {REASON}." in text
    assert page.evaluate(RED) == 0
    assert "report it" not in text and "does not hold" not in text
    assert leaf_hash in text and format_hash(withdrawn.issued.kit_digest) in text  # type: ignore[arg-type]
    assert f"on {on}, reason: {REASON}" in text.split("The kit was withdrawn")[1][:80]
    assert page.errors() == []
    page.screenshot(tmp_path / "withdrawn.png")
    page.close()


def _leaf(kit: Withdrawn) -> str:
    return format_hash(kit.issued.leaf_hash)  # type: ignore[arg-type]


# Revoked keys and late merges, on a log whose clock the test holds


@pytest.fixture
def log(tmp_path: Path) -> TestLog:
    publish(tmp_path)
    return TestLog(tmp_path)


SECOND = SeedSigner("second registry key")


def add_key(ports: LogPorts, role: Role, key: PublicKey, valid_from: int) -> None:
    kind, data = key_added(role, key, valid_from)
    queue(ports, kind.value, data)


def revoke(ports: LogPorts, kid: str, at: int) -> None:
    queue(ports, "key.revoked", {"kid": kid, "revoked_at": format_time(at), "reason": "key-lost"})


def test_the_page_of_an_entry_whose_keys_were_revoked_says_so(
    chromium: Browser, log: TestLog, tmp_path: Path
) -> None:
    ports = log.ports()
    leaf = log.leaves(1)[0]
    wait(ports, [leaf])
    at = int(log.clock.time)
    ports = replace(ports, signers={each.public.kid: each for each in (REGISTRY, SECOND)})
    add_key(ports, Role.REGISTRY, SECOND.public, at + 60)
    log.round(ports)
    log.round(ports)
    log.clock.time += 600
    for kid in (REGISTRY.public.kid, ISSUER.public.kid):
        revoke(ports, kid, at)
    log.round(ports)
    with served(tmp_path / "registry", tmp_path / "served") as (url, _):
        page = entry_page(chromium, url, format_hash(leaf.hash()))
        text = said(page)
        page.screenshot(tmp_path / "revoked.png")
        assert page.text(TITLE) == "Entry 0 of the public registry: key revoked"
        assert page.evaluate(RED) == 0, text
        for words in (
            "The registry key that signed its checkpoint was revoked",
            "The issuer key was revoked",
        ):
            assert "reason: key-lost" in text.split(words)[1][:120], text
        assert "no longer verifies" in text
        page.close()


def test_the_page_of_a_late_entry_says_so_before_and_after_its_incident(
    chromium: Browser, log: TestLog, tmp_path: Path
) -> None:
    ports = log.ports()
    leaf = log.leaves(1)[0]
    wait(ports, [leaf])
    log.clock.time += 900
    log.round(ports)
    with served(tmp_path / "registry", tmp_path / "served") as (url, _):
        page = entry_page(chromium, url, format_hash(leaf.hash()))
        assert "is due with the next checkpoint" in said(page)
        assert (page.evaluate(RED), page.text(TITLE)) == (0, "Entry 0 of the public registry"), said(page)
        page.close()
        log.round(ports)
        page = entry_page(chromium, url, format_hash(leaf.hash()))
        assert "Issued before the checkpoint, but in it later than promised" in said(page)
        assert "a public incident says so" in said(page)
        assert page.evaluate(RED) == 0
        page.screenshot(tmp_path / "late.png")
        page.close()


def test_a_late_entry_that_no_incident_ever_explains_is_still_a_fault(
    chromium: Browser, log: TestLog, tmp_path: Path
) -> None:
    ports = log.ports()
    leaf = log.leaves(1)[0]
    wait(ports, [leaf])
    log.clock.time += 900
    log.round(ports)
    for notice in ports.ledger.queued_notices():
        ports.ledger.drop_notice(notice)
    log.round(ports)
    with served(tmp_path / "registry", tmp_path / "served") as (url, _):
        page = entry_page(chromium, url, format_hash(leaf.hash()))
        assert page.text(TITLE) == "The proof failed"
        page.close()
