"""verify.html in real browsers: from a file and over HTTP, each verdict, kits and parts, trust roots."""

import base64
import io
import json
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from attestlayer.cli.advice import ADVICE
from attestlayer.cli.text import DOES_NOT_PROVE, PROVES
from attestlayer.encoding import format_hash, sha256
from attestlayer.errors import Reason
from attestlayer.kit.disclosure import disclose
from attestlayer.kit.manifest import BINDER, CLIENT_NONCE, MANIFEST, RECEIPT, REGISTRY_RECEIPT
from attestlayer.kit.receipt import BOUNDARY, Nonce
from issuer.adapters.release_files import ReleaseFiles
from issuer.release.verify_kit import make_verify_kit
from support.browsers import Browser, Page
from support.build import STRANGER, Delivered, Hooks, Log, Plan, Scenario, make, make_zip, open_zip
from support.page import verifier_page
from support.serving import served
from support.verifiers import Given, PythonCommand, differences

ROOT = Path(__file__).parents[2]
KITS = sorted((ROOT / "tests/vectors/kits").glob("*.json"))

IDLE = '!document.querySelector("#result").hidden && document.querySelector("#working").hidden'
STARTED = 'document.documentElement.classList.contains("alive")'
REPORT = """
  const saved = [];
  const { createObjectURL } = URL;
  URL.createObjectURL = (blob) => { saved.push(blob); return createObjectURL.call(URL, blob); };
  const buttons = [...document.querySelectorAll("#result button")];
  const button = buttons.find((each) => each.innerText.includes("JSON"));
  HTMLAnchorElement.prototype.click = () => {};
  button.click();
  return saved[0].text();
"""


@pytest.fixture(scope="module")
def delivered() -> Delivered:
    return make()


@pytest.fixture
def place(delivered: Delivered) -> Iterator[Path]:
    """verify.html, kit.zip and the same kit unpacked. Never below /dev/shm: a page gets no handle of /dev."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        place = Path(folder)
        (place / "verify.html").write_bytes(verifier_page(delivered.trust.format()))
        (place / "kit.zip").write_bytes(delivered.zip)
        unpack(delivered.members, place / "kit")
        yield place


Opener = Callable[..., Page]


@pytest.fixture
def opened(browser: Browser, place: Path) -> Iterator[Opener]:
    """Opens the page from its file; at the end it has complained of nothing and asked for nothing more."""
    pages: list[Page] = []

    def open_page(**options: Any) -> Page:
        page = browser.open((place / "verify.html").as_uri(), **options)
        page.wait_for(STARTED)
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        assert page.errors() == []
        assert {url for url in page.requests() if url.startswith("http")} == set()
        page.close()


def test_r83_the_page_works_where_the_kit_of_verifiers_was_unpacked(
    each_browser: Browser, delivered: Delivered, tmp_path: Path
) -> None:
    data = make_verify_kit(ReleaseFiles(ROOT / "site").read(), delivered.trust)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(tmp_path)
    page = each_browser.open((tmp_path / "verify.html").as_uri())
    page.wait_for(STARTED)
    assert give(page, tmp_path / "vectors/verified.zip") == "VERIFIED"
    assert give(page, tmp_path / "vectors/hash-differs.zip") == "NOT VERIFIED"
    assert page.errors() == []
    assert {url for url in page.requests() if url.startswith("http")} == set()
    page.close()


def unpack(members: dict[str, bytes], folder: Path) -> None:
    for name, data in members.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def give(page: Page, *paths: Path, selector: str = "#pick-file", timeout_s: float = 60) -> str:
    """Pick files or a folder; the verdict."""
    page.upload(selector, *paths)
    page.wait_for(IDLE, timeout_s)
    return page.text("#result h1")


def report_of(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(page.evaluate(REPORT))  # noqa: TID251
    return found


def test_a_kit_is_verified_with_its_sentence_proofs_and_limits(opened: Opener, place: Path) -> None:
    page = opened()
    assert give(page, place / "kit.zip") == "VERIFIED"
    sentence = (
        "Every file of the kit kit.zip is byte for byte what AttestLayer issued on 31 January 2026, 12:01:30 "
        "UTC, entry 2 of the public registry registry.example.org."
    )
    assert page.text("#result .sentence") == sentence
    shown = page.evaluate(
        """
        const rows = [...document.querySelectorAll(".checks tbody tr")];
        return rows.map((row) => row.innerText.replace(/\\s+/g, " "));
        """
    )
    assert len(shown) == 10
    for row, proof in zip(shown, PROVES, strict=False):
        assert proof in row and " yes " in row
    for limit in DOES_NOT_PROVE:
        assert limit in page.text("#does-not-prove")
    assert BOUNDARY in page.text(".limits")
    assert page.evaluate("return document.activeElement === document.querySelector('#result h1')")
    assert page.evaluate("return document.title") == "VERIFIED · kit.zip"
    assert page.text("#announce").startswith("VERIFIED. Every file of the kit kit.zip is byte for byte")


ROWS = """
const rows = [...document.querySelectorAll(".checks tbody tr")];
return rows.map((row) => row.innerText.replace(/\\s+/g, " ").trim());
"""


def test_what_a_step_does_not_prove_is_not_shown_as_a_proof_that_held(
    browser: Browser, place: Path, delivered: Delivered
) -> None:
    """No witness is demanded, and the trust root is older than the kit, or of another registry."""
    other = Log(origin="other.example.org")
    roots = {
        "– the kit was not withdrawn not known trust root of 2026-01-31T12:01:00Z": delivered.log.trust(1),
        "✓ the kit was not withdrawn yes as far as the trust root of 31 January 2026, 12:02:00 UTC knows": (
            delivered.trust
        ),
        "– the kit was not withdrawn not known trust root of other.example.org": other.trust(),
    }
    for row, trust in roots.items():
        (place / "rooted.html").write_bytes(verifier_page(trust.format()))
        page = browser.open((place / "rooted.html").as_uri())
        page.wait_for(STARTED)
        give(page, place / "kit.zip")
        shown = [f"{each[0]} {each[1:].strip()}" for each in page.evaluate(ROWS)]
        demanded = "– the witnesses that the trust root demands saw that checkpoint none demanded"
        assert [each for each in shown if each.startswith(row)], shown
        assert [each for each in shown if each.startswith(demanded)], shown
        page.close()


def test_the_page_says_which_keys_it_trusts_and_where_they_are_from(
    opened: Opener, delivered: Delivered
) -> None:
    words = opened().text("#trust")
    assert delivered.trust.identity().format() in words
    assert delivered.trust.checkpoint.kid in words
    assert "built into the page" in words and "registry.example.org" in words
    for key in delivered.trust.keyring.keys.values():
        assert key.public.kid in words
    assert re.search(r"31 January 2026, 12:0\d:00 UTC \(\d+ days ago\)", words)


def test_a_folder_is_verified_as_the_zip_is(opened: Opener, place: Path) -> None:
    page = opened()
    assert give(page, place / "kit", selector="#pick-folder") == "VERIFIED"
    assert page.text("#result .sentence").startswith("Every file of the kit kit is byte for byte")
    (place / "kit" / "notes.txt").write_text("mine")
    page.evaluate('[...document.querySelectorAll("#result button")].at(-1).click()')
    assert give(page, place / "kit", selector="#pick-folder") == "NOT VERIFIED"
    assert "file-unexpected" in page.text("#result")


def test_every_bad_file_is_named_with_what_was_found_and_expected(
    opened: Opener, place: Path, delivered: Delivered
) -> None:
    names = [name for name in delivered.members if name.startswith("records/")] + [BINDER]
    changed = {**delivered.members, **{name: delivered.members[name] + b"!" for name in names}}
    same_size = {**changed, "README.txt": delivered.members["README.txt"].swapcase()}
    (place / "bad.zip").write_bytes(make_zip(same_size))
    page = opened()
    assert give(page, place / "bad.zip") == "NOT VERIFIED"
    words = page.text(".failures")
    for name in [*names, "README.txt"]:
        assert name in words
    assert ADVICE[Reason.FILE_SIZE_MISMATCH] in words and ADVICE[Reason.FILE_HASH_MISMATCH] in words
    listed = next(file for file in open_manifest(delivered) if file["path"] == "README.txt")
    assert base64.urlsafe_b64decode(listed["sha256"] + "=").hex() in words  # noqa: TID251
    assert "What was issued" not in page.text("#result")


def open_manifest(delivered: Delivered) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(delivered.members[MANIFEST])["files"]  # noqa: TID251
    return found


def test_contents_are_not_shown_where_a_signature_is_bad(opened: Opener, place: Path) -> None:
    vector = json.loads((ROOT / "tests/vectors/kits/receipt-signed-by-another.json").read_text())  # noqa: TID251
    (place / "forged.zip").write_bytes(base64.b64decode(vector["input"]["zip"]))  # noqa: TID251
    page = opened()
    assert give(page, place / "forged.zip") == "NOT VERIFIED"
    words = page.text("#result")
    assert "receipt-signature-invalid" in words
    assert "kit_" not in words and "What was issued" not in words and "PAY-01" not in words


@pytest.mark.parametrize(
    ("vector", "proof"),
    [
        ("hash-differs", PROVES[0]),  # R28
        ("receipt-of-another-manifest", PROVES[1]),  # R29
        ("issuer-key-unknown", PROVES[2]),  # R30
        ("receipt-signed-by-another", PROVES[3]),  # R31
        ("kit-digest-differs", PROVES[4]),  # R32
    ],
)
def test_each_of_the_five_proofs_fails_alone(
    chromium: Browser, tmp_path: Path, vector: str, proof: str
) -> None:
    given = json.loads((ROOT / f"tests/vectors/kits/{vector}.json").read_text())["input"]  # noqa: TID251
    (tmp_path / "kit.zip").write_bytes(base64.b64decode(given["zip"]))  # noqa: TID251
    (tmp_path / "verify.html").write_bytes(verifier_page(given["trust"].encode()))
    page = chromium.open((tmp_path / "verify.html").as_uri())
    assert give(page, tmp_path / "kit.zip") == "NOT VERIFIED"
    failed = page.evaluate(
        'return [...document.querySelectorAll(".checks tr.bad th")].map((each) => each.lastChild.textContent)'
    )
    assert failed == [proof]
    page.close()


def test_the_newest_input_is_the_one_that_is_answered(opened: Opener, place: Path) -> None:
    (place / "letter.txt").write_text("Dear auditor,\n")
    page = opened()
    page.upload("#pick-file", place / "kit.zip")
    page.upload("#pick-file", place / "letter.txt")
    page.wait_for(IDLE)
    sentence = (
        "letter.txt: this file is neither a complete kit nor a registry receipt, so no verdict is possible"
    )
    assert page.text("#result .sentence").startswith(sentence)
    page.evaluate("document.dispatchEvent(new DragEvent('drop', { dataTransfer: new DataTransfer() }))")
    assert page.text("#result h1") == "COULD NOT CHECK"


def test_each_vector_gets_the_commands_report(browser: Browser, tmp_path: Path) -> None:
    """Through the page's own input, from a file; by trust root: the first is built in, others are picked."""
    by_trust: dict[str, list[Path]] = {}
    for path in KITS:
        vector = json.loads(path.read_text(encoding="ascii"))  # noqa: TID251
        if "zip" in vector["input"] and vector["expect"] not in {"trust-root-unusable", "input-not-a-kit"}:
            kit = tmp_path / f"{path.stem}.zip"
            kit.write_bytes(base64.b64decode(vector["input"]["zip"]))  # noqa: TID251
            by_trust.setdefault(vector["input"]["trust"], []).append(kit)
    assert sum(map(len, by_trust.values())) > 80
    (tmp_path / "verify.html").write_bytes(verifier_page(next(iter(by_trust)).encode()))
    page = browser.open((tmp_path / "verify.html").as_uri())
    parted = []
    for number, (trust, kits) in enumerate(by_trust.items()):
        root = tmp_path / f"{number}.json"
        root.write_text(trust, encoding="utf-8")
        if number:
            page.evaluate('document.querySelector("#result").hidden = true')
            give(page, root, selector="#pick-trust")
            page.evaluate('document.querySelector("#offer .button").click()')
            assert f"Given to this page just now, as {root.name}" in page.text("#trust")
        for kit in kits:
            expected = PythonCommand().reports([Given(kit, root)])
            page.evaluate('document.querySelector("#result").hidden = true')
            assert give(page, kit) == expected[0]["verdict"], kit
            parted += differences([{**expected[0], "kit": kit.name}], [report_of(page)])
    assert page.errors() == []
    page.close()
    assert parted == []


def test_nothing_usable_could_not_be_checked(opened: Opener, place: Path) -> None:
    (place / "letter.txt").write_text("Dear auditor,\n")
    page = opened()
    assert give(page, place / "letter.txt") == "COULD NOT CHECK"
    assert report_of(page)["steps"][0]["failures"][0]["reason"] == Reason.INPUT_NOT_A_KIT


def test_a_registry_receipt_is_verified_by_itself(opened: Opener, place: Path, delivered: Delivered) -> None:
    page = opened()
    assert give(page, place / "kit" / REGISTRY_RECEIPT) == "VERIFIED"
    assert "No kit was checked: this is about the entry only." in page.text("#result .sentence")
    assert "any kit or file is the one that the entry is of" in page.text("#does-not-prove")
    bad = delivered.members[REGISTRY_RECEIPT].replace(b'"leaf_index":2', b'"leaf_index":1')
    (place / "receipt.json").write_bytes(bad)
    page.evaluate('document.querySelector("#result").hidden = true')
    assert give(page, place / "receipt.json") == "NOT VERIFIED"
    assert report_of(page)["input"] == "registry-receipt"


@pytest.mark.parametrize("name", [RECEIPT, MANIFEST, CLIENT_NONCE, BINDER])
def test_of_another_part_it_says_what_can_be_said(opened: Opener, place: Path, name: str) -> None:
    page = opened()
    assert give(page, place / "kit" / name) == "COULD NOT CHECK"
    words = page.text("#result")
    assert "no verdict is possible" in words and "What can’t be said of it without its kit" in words
    assert format_hash_of(place / "kit" / name) in words
    links = page.evaluate('return [...document.querySelectorAll("#result a")].map((each) => each.href)')
    assert all(link.startswith("https://registry.example.org/lookup.html#") for link in links)
    assert len(links) == {RECEIPT: 2, MANIFEST: 1, CLIENT_NONCE: 1, BINDER: 0}[name]
    if name == RECEIPT:
        assert "Its signature verifies under the issuer key that the trust root knows" in words


def format_hash_of(path: Path) -> str:
    return format_hash(sha256(path.read_bytes()))


def test_a_disclosed_record_is_verified_and_said_to_be_one(
    opened: Opener, place: Path, delivered: Delivered
) -> None:
    (name,) = [name for name in delivered.members if name.startswith("records/")]
    documents = disclose(open_zip(delivered.zip).documents, name)
    (place / "part.zip").write_bytes(make_zip({**documents, name: delivered.members[name]}))
    page = opened()
    assert give(page, place / "part.zip") == "VERIFIED"
    assert page.text("#result .sentence").endswith(
        f"{name} is byte for byte the one in that kit. Nothing is said about the rest of the kit."
    )
    assert "what else the kit holds, and how much" in page.text("#does-not-prove")
    assert report_of(page)["input"] == "disclosed-record"
    assert "not checked" not in page.text(".checks")


@pytest.mark.parametrize("schema", ["attestlayer/receipt/x", "attestlayer/receipt/2", "attestlayer/other/1"])
def test_a_document_of_an_odd_format_is_nothing_to_fail_about(
    opened: Opener, place: Path, schema: str
) -> None:
    (place / "odd.json").write_text(json.dumps({"schema": schema}, separators=(",", ":")))
    page = opened()
    assert give(page, place / "odd.json") == "COULD NOT CHECK"
    words = page.text("#result")
    assert "This page failed" not in words and "odd.json is" in words


def test_loose_parts_are_held_against_the_registry_receipt(opened: Opener, place: Path) -> None:
    kit = place / "kit"
    other = Nonce(None, bytes(32)).format()
    (place / "other-nonce.txt").write_bytes(other)
    page = opened()
    given = (kit / REGISTRY_RECEIPT, kit / RECEIPT, kit / MANIFEST, place / "other-nonce.txt")
    assert give(page, *given) == "VERIFIED"
    words = page.text("#result")
    assert "receipt.json, the receipt of a kit: the entry names its hash" in words
    assert "manifest.json, the manifest of a kit: the entry names its hash" in words
    assert "other-nonce.txt, the client nonce of a kit: the entry names another hash" in words


def test_a_trust_root_is_used_only_after_it_was_shown_and_taken(opened: Opener, place: Path) -> None:
    stranger = make(Scenario(issuer=STRANGER, plan=Plan(issuer=STRANGER)))
    (place / "trust.json").write_bytes(stranger.trust.format())
    (place / "stranger.zip").write_bytes(stranger.zip)
    page = opened()
    assert give(page, place / "stranger.zip") == "NOT VERIFIED"
    page.evaluate('document.querySelector("#result").hidden = true')
    give(page, place / "trust.json", selector="#pick-trust")
    assert stranger.trust.identity().format() in page.text("#offer")
    assert "It is no update of the one in use" in page.text("#offer")
    assert STRANGER.public.kid not in page.text("#trust")
    page.evaluate('document.querySelector("#offer .button").click()')
    assert STRANGER.public.kid in page.text("#trust")
    assert "Given to this page just now, as trust.json" in page.text("#trust")
    assert give(page, place / "stranger.zip") == "VERIFIED"


def test_a_kit_with_a_trust_root_in_it_vouches_for_nothing(opened: Opener, place: Path) -> None:
    stranger = make(Scenario(issuer=STRANGER, plan=Plan(issuer=STRANGER)))
    unpack({**stranger.members, "trust.json": stranger.trust.format()}, place / "forged")
    page = opened()
    assert give(page, place / "forged", selector="#pick-folder") == "NOT VERIFIED"
    assert STRANGER.public.kid not in page.text("#trust")


def test_a_page_without_a_usable_trust_root_checks_nothing(
    browser: Browser, place: Path, delivered: Delivered
) -> None:
    trust = json.loads(delivered.trust.format())  # noqa: TID251
    trust["checkpoint"]["signature"] = "A" * 86
    data = json.dumps(trust, sort_keys=True, separators=(",", ":")).encode()
    (place / "verify.html").write_bytes(verifier_page(data))
    page = browser.open((place / "verify.html").as_uri())
    page.wait_for(STARTED)
    assert "There is no usable trust root" in page.text("#trust")
    assert give(page, place / "kit.zip") == "COULD NOT CHECK"
    assert report_of(page)["trust"] is None
    page.close()


def test_without_scripts_the_page_says_that_nothing_was_checked(chromium: Browser, place: Path) -> None:
    """In Chromium, whose driver can ask a page that runs no scripts."""
    page = chromium.open((place / "verify.html").as_uri(), scripts=False)
    assert "The verifier has not started" in page.text("#dead")
    assert page.evaluate('return getComputedStyle(document.querySelector("#ask")).display') == "none"
    page.close()


@pytest.mark.parametrize("fault", ["throw new Error('a fault of ours')", "return Promise.reject('refused')"])
def test_a_fault_of_the_page_is_no_verdict(browser: Browser, place: Path, fault: str) -> None:
    page = browser.open((place / "verify.html").as_uri())
    page.wait_for(STARTED)
    page.evaluate(f"TextDecoder.prototype.decode = function () {{ {fault} }}")
    assert give(page, place / "kit.zip") in {"COULD NOT CHECK", "NOT VERIFIED"}
    page.evaluate("crypto.subtle.digest = () => { throw new Error('a fault of ours') }")
    page.evaluate('document.querySelector("#result").hidden = true')
    assert give(page, place / "kit.zip") == "COULD NOT CHECK"
    assert "nothing was decided" in page.text("#result")
    page.close()


def test_it_verifies_over_http_with_the_network_gone(browser: Browser, place: Path) -> None:
    """The server is down once the page is loaded; so is everything else that the page could ask."""
    with served(place) as url:
        page = browser.open(f"{url}/verify.html")
        page.wait_for(STARTED)
    before = page.requests()
    assert [each for each in before if each.startswith("http")] == [f"{url}/verify.html"]
    assert give(page, place / "kit.zip") == "VERIFIED"
    assert page.requests() == before
    assert page.errors() == []
    page.close()


def test_the_policy_stops_every_connection(opened: Opener) -> None:
    page = opened()
    blocked = page.evaluate(
        """
        const blocked = [];
        addEventListener("securitypolicyviolation", (event) => blocked.push(event.effectiveDirective));
        await fetch("http://127.0.0.1:9/").catch(() => {});
        navigator.sendBeacon("http://127.0.0.1:9/");
        try { new WebSocket("ws://127.0.0.1:9/"); } catch {}
        const image = new Image();
        image.src = "http://127.0.0.1:9/x.png";
        const script = document.createElement("script");
        script.textContent = "globalThis.injected = true";
        document.body.append(script);
        await new Promise((done) => setTimeout(done, 200));
        return [globalThis.injected ?? null, ...new Set(blocked)];
        """
    )
    injected, *directives = blocked
    assert injected is None
    assert {"connect-src", "img-src"} <= set(directives)
    assert any(each.startswith("script-src") for each in directives)
    page.forget()  # what was blocked is reported to the console


def test_keys_alone_reach_every_control_and_show_where_they_are(opened: Opener) -> None:
    page = opened()
    reached: dict[str, str] = {}
    for _ in range(4):
        page.press("Tab")
        name, outline = page.evaluate(
            """
            const reached = document.activeElement;
            const seen = reached.closest("label") ?? reached;
            return [reached.id || reached.className, getComputedStyle(seen).outlineStyle];
            """
        )
        reached[name] = outline
    assert next(iter(reached)) == "skip"
    assert {"pick-file", "pick-folder", "pick-trust"} <= reached.keys()
    assert all(reached[name] == "solid" for name in ("skip", "pick-file", "pick-folder", "pick-trust"))


def test_nothing_is_wrong_by_axe_in_either_scheme(opened: Opener, place: Path, delivered: Delivered) -> None:
    changed = {**delivered.members, BINDER: b"another"}
    (place / "bad.zip").write_bytes(make_zip(changed))
    (place / "letter.txt").write_text("Dear auditor,\n")
    for dark in (False, True):
        page = opened(dark=dark)
        assert page.axe() == []
        for name in ("kit.zip", "bad.zip", "letter.txt"):
            page.evaluate('document.querySelector("#result").hidden = true')
            give(page, place / name)
            page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
            assert page.axe() == []


@pytest.mark.parametrize("width", [320, 1280])
def test_no_width_makes_it_scroll_sideways(opened: Opener, place: Path, width: int) -> None:
    page = opened(width=width)
    for paths in ((), (place / "kit.zip",), (place / "kit" / RECEIPT,)):
        if paths:
            page.evaluate('document.querySelector("#result").hidden = true')
            give(page, *paths)
            page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        assert page.evaluate("return document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_what_is_dropped_is_checked(browser: Browser, place: Path, scheme: str) -> None:
    with served(place) as url:
        page = browser.open((place / "verify.html").as_uri() if scheme == "file" else f"{url}/verify.html")
        page.wait_for(STARTED)
    for path in (place / "kit.zip", place / "kit"):
        assert drop(page, path) == "VERIFIED"
        assert page.text("#result .sentence").startswith(f"Every file of the kit {path.name} is")
    page.close()


def drop(page: Page, *paths: Path) -> str:
    """Drop files or folders; the verdict."""
    page.evaluate('document.querySelector("#result").hidden = true')
    page.drag("body", *paths)
    page.wait_for(IDLE)
    return page.text("#result h1")


def test_several_folders_are_one_kit_where_they_can_be_listed(chromium: Browser, place: Path) -> None:
    with served(place) as url:
        page = chromium.open(f"{url}/verify.html")
        page.wait_for(STARTED)
    assert drop(page, *sorted((place / "kit").iterdir())) == "VERIFIED"
    assert page.errors() == []
    page.close()
    page = chromium.open((place / "verify.html").as_uri())
    page.wait_for(STARTED)
    assert drop(page, *sorted((place / "kit").iterdir())) == "COULD NOT CHECK"
    assert "choose the folder with the button, or give this page the ZIP" in page.text("#result")
    page.close()


def test_names_of_records_can_not_hide_or_turn_round(browser: Browser, tmp_path: Path) -> None:
    def renamed(report: Any) -> Any:
        first = replace(report.records[0], name="invoice\u202efdp.exe <img src=x>")
        return replace(report, records=(first, *report.records[1:]))

    delivered = make(Scenario(plan=Plan(hooks=Hooks(report=renamed))))
    (tmp_path / "kit.zip").write_bytes(delivered.zip)
    (tmp_path / "verify.html").write_bytes(verifier_page(delivered.trust.format()))
    page = browser.open((tmp_path / "verify.html").as_uri())
    assert give(page, tmp_path / "kit.zip") == "VERIFIED"
    page.evaluate("document.querySelector('details').open = true")
    assert "invoice\\u202efdp.exe <img src=x>" in page.text(".files")
    assert page.evaluate("return document.querySelectorAll('img').length") == 0
    page.close()


MIB = 1024 * 1024


def test_a_hundred_mebibytes_take_bounded_memory_and_leave_the_page_alive(
    chromium: Browser, tmp_path: Path
) -> None:
    """Speed is measured elsewhere: here, memory, progress and that the page answers meanwhile."""
    plan = Plan(records=tuple((f"records/{n:03d}-r.bin", bytes([n]) * (25 * MIB)) for n in range(1, 5)))
    delivered = make(Scenario(plan=plan))
    (tmp_path / "kit.zip").write_bytes(delivered.zip)
    (tmp_path / "verify.html").write_bytes(verifier_page(delivered.trust.format()))
    page = chromium.open((tmp_path / "verify.html").as_uri())
    page.wait_for(STARTED)
    page.evaluate(
        """
        globalThis.beats = 0;
        setInterval(() => { globalThis.beats += 1; }, 20);
        globalThis.seen = new Set();
        new MutationObserver(() => globalThis.seen.add(document.querySelector("#working-words").textContent))
          .observe(document.querySelector("#working-words"), { childList: true });
        """
    )
    assert give(page, tmp_path / "kit.zip", timeout_s=300) == "VERIFIED"
    assert page.evaluate("return globalThis.beats") > 10
    assert page.evaluate("return globalThis.seen.size") > 3
    assert page.memory() < 32 * MIB
    page.close()
