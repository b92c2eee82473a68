"""Looking up and walking the chain in real browsers: what holds is shown, what does not is said to fail."""

import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from attestlayer.canonical import parse_json, take_members, take_string
from attestlayer.encoding import format_hash, parse_hash, sha256
from attestlayer.kit.manifest import CLIENT_NONCE, MANIFEST, RECEIPT, REGISTRY_RECEIPT
from attestlayer.log import layout
from attestlayer.log.leaf import Leaf, LeafRecord, parse_record, parse_registry_receipt
from attestlayer.log.lookup import Segment
from attestlayer.log.trust import parse_trust
from support.browsers import Browser, Page
from support.log import TestLog
from support.registry_site import RegistrySite, served
from support.shared import made_once
from support.site_pages import publish
from support.tools import require

FOUND = "document.querySelector('[data-result] .verdict')"


def open_at(browser: Browser, url: str) -> Page:
    """A page, once it shows a verdict."""
    page = browser.open(url)
    page.wait_for(FOUND)
    return page


def title(page: Page) -> str:
    return page.text("[data-result] .verdict h2")


def tone(page: Page) -> str:
    return str(page.evaluate(f"return {FOUND}.className.split(' ').at(-1)"))


def said(page: Page) -> str:
    return page.text("[data-result]")


def clean(page: Page) -> list[str]:
    """What the page complained of, but for absent files, which browsers report of their own accord."""
    return [each for each in page.errors() if "404" not in each]


def names_of(leaf: Leaf) -> dict[str, str]:
    """The five hashes that lead to a leaf, with the words that a page says of them."""
    return {
        "You searched by leaf hash": format_hash(leaf.hash()),
        "The hash is the kit's digest": format_hash(leaf.kit_digest),
        "The hash is the hash of its receipt": format_hash(leaf.statement_hash),
        "The hash is its manifest's root": format_hash(leaf.manifest_root),
        "The hash is the hash of its client's nonce": format_hash(leaf.client_nonce_hash),
    }


def test_each_of_the_five_hashes_finds_the_entry(browser: Browser, registry: RegistrySite) -> None:
    indexed, newest = registry.leaves[3], registry.leaves[-1]
    for leaf in (indexed, newest):
        for words, value in names_of(leaf).items():
            page = open_at(browser, f"{registry.url}/lookup.html#{value}")
            assert (tone(page), words in said(page)) == ("good", True), said(page)
            assert format_hash(leaf.hash()) in said(page)
            assert "does not hold" not in said(page)
            assert clean(page) == []
            page.close()


def test_a_hash_in_hexadecimal_is_the_same(browser: Browser, registry: RegistrySite) -> None:
    page = browser.open(f"{registry.url}/")
    page.evaluate(
        "document.querySelector('#hash').value = argument", f" {registry.leaves[5].kit_digest.hex().upper()} "
    )
    page.click("form button")
    page.wait_for(FOUND)
    assert "The hash is the kit's digest" in said(page)
    page.close()


@pytest.mark.parametrize("where", ["lookup.html", "entry.html"])
def test_an_unknown_hash_is_not_found_and_that_proves_nothing(
    browser: Browser, registry: RegistrySite, where: str
) -> None:
    page = open_at(browser, f"{registry.url}/{where}#{format_hash(sha256(b'unknown'))}")
    assert (tone(page), title(page)) == ("warn", "Not found")
    assert "does not mean that a kit is false" in said(page)
    assert clean(page) == []
    page.close()


@pytest.mark.parametrize("text", ["x", "A" * 42, "A" * 42 + "B", "<img src=x onerror=alert(1)>", "g" * 64])
def test_what_is_no_hash_is_said_to_be_none(chromium: Browser, registry: RegistrySite, text: str) -> None:
    page = chromium.open(f"{registry.url}/lookup.html")
    page.evaluate("document.querySelector('#hash').value = argument", text)
    page.click("form button")
    page.wait_for(FOUND)
    assert title(page) == "This is not a hash"
    assert page.errors() == []
    page.close()


def test_other_objects_are_found_by_their_hash(chromium: Browser, registry: RegistrySite) -> None:
    names = {kind: next(registry.service.public.list(f"v1/{kind}/")) for kind in ("policies", "notices")}
    for kind, name in names.items():
        page = open_at(chromium, f"{registry.url}/lookup.html#{Path(name).stem}")
        assert tone(page) == "good"
        assert page.evaluate(f"return {FOUND}.querySelector('a').getAttribute('href')") == f"/{name}", kind
        page.close()


def members(registry: RegistrySite, folder: Path) -> Path:
    """The kit's files in a folder."""
    with zipfile.ZipFile(registry.issued.kit) as kit:
        kit.extractall(folder)
    return folder


def file_named(registry: RegistrySite, folder: Path, name: str) -> Path:
    """The kit, one of its files, or the kit packed again with its folder."""
    if name == "kit.zip":
        return registry.issued.kit
    file = members(registry, folder / "kit") / name
    if name == "again.zip":
        command = [require("zip"), "-q", "-r", file, "kit"]
        subprocess.run(command, cwd=folder, check=True)
    return file


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("kit.zip", "byte for byte, the one that the registry serves"),
        ("again.zip", "byte for byte, the one that the registry serves"),
        (REGISTRY_RECEIPT, "byte for byte, the one that the registry serves"),
        (RECEIPT, "The hash is the hash of its receipt"),
        (MANIFEST, "The hash is its manifest's root"),
        (CLIENT_NONCE, "The hash is the hash of its client's nonce"),
    ],
)
def test_a_file_out_of_the_kit_finds_the_entry(
    browser: Browser, registry: RegistrySite, tmp_path: Path, name: str, words: str
) -> None:
    page = browser.open(f"{registry.url}/")
    page.upload("#file", file_named(registry, tmp_path, name))
    page.wait_for(FOUND)
    assert (tone(page), title(page)) == ("good", "Entry 0 of the public registry"), said(page)
    assert words in said(page)
    assert all(registry.url in url or url.startswith("blob:") for url in page.requests())
    page.close()


def test_a_dropped_kit_finds_the_entry_and_a_sealed_one_its_digest(
    chromium: Browser, registry: RegistrySite, tmp_path: Path
) -> None:
    page = chromium.open(f"{registry.url}/lookup.html", height=1600)
    page.drag("[data-drop]", registry.issued.kit)
    page.wait_for(FOUND)
    assert title(page) == "Entry 0 of the public registry"
    page.close()
    sealed = shutil.copyfile(registry.issued.kit, tmp_path / "sealed.zip")
    subprocess.run([require("zip"), "-q", "-d", sealed, REGISTRY_RECEIPT], check=True)
    assert sha256(sealed.read_bytes()) == own(registry).kit_digest
    page = chromium.open(f"{registry.url}/lookup.html#{sha256(sealed.read_bytes()).hex()}")
    page.wait_for(FOUND)
    assert "The hash is the kit's digest" in said(page)
    page.close()


def own(registry: RegistrySite) -> Leaf:
    """The leaf of the kit that was really issued."""
    with zipfile.ZipFile(registry.issued.kit) as kit:
        return parse_registry_receipt(kit.read(REGISTRY_RECEIPT)).record.leaf


def test_a_record_is_not_in_the_registry(chromium: Browser, registry: RegistrySite, tmp_path: Path) -> None:
    record = next((members(registry, tmp_path) / "records").iterdir())
    page = chromium.open(f"{registry.url}/")
    page.upload("#file", record)
    page.wait_for(FOUND)
    assert title(page) == "Not found"
    page.close()


def test_a_changed_registry_receipt_is_another_one(
    chromium: Browser, registry: RegistrySite, tmp_path: Path
) -> None:
    path = members(registry, tmp_path) / REGISTRY_RECEIPT
    path.write_bytes(path.read_bytes().replace(b'"leaf_index":0', b'"leaf_index":1'))
    page = chromium.open(f"{registry.url}/")
    page.upload("#file", path)
    page.wait_for(FOUND)
    assert (tone(page), title(page)) == ("bad", "Another registry receipt")
    page.close()


@dataclass
class Copy:
    """A copy of the registry that can be spoilt, and its server."""

    root: Path
    url: str
    server: ThreadingHTTPServer

    def change(self, name: str, by: Callable[[bytes], bytes | None]) -> None:
        path = self.root / name
        data = by(path.read_bytes())
        path.unlink()
        if data is not None:
            path.write_bytes(data)

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def copy(registry: RegistrySite, tmp_path: Path) -> Iterator[Copy]:
    root = shutil.copytree(registry.root, tmp_path / "copy")
    with served(root, tmp_path / "state") as (url, server):
        yield Copy(root, url, server)


def shard_of(copy: Copy, key: bytes) -> str:
    """The shard of the one segment of two groups that a hash is looked up in."""
    segment = Segment(1, 0)
    return segment.path(segment.shard_of(key))


def test_an_index_that_points_to_another_entry_is_caught(
    browser: Browser, registry: RegistrySite, copy: Copy
) -> None:
    digest = registry.leaves[3].kit_digest

    def lie(data: bytes) -> bytes:
        at = data.index(digest[:8])
        return (
            data[: at + 8]
            + (int.from_bytes(data[at + 8 : at + 12], "big") ^ 1).to_bytes(4, "big")
            + data[at + 12 :]
        )

    copy.change(shard_of(copy, digest), lie)
    page = open_at(browser, f"{copy.url}/lookup.html#{format_hash(digest)}")
    assert (tone(page), title(page)) == ("bad", "The proof failed")
    assert "does not name this hash" in said(page)
    assert "kit digest" not in said(page).lower()
    page.close()


def test_an_index_that_is_silent_is_no_proof_of_absence(
    chromium: Browser, registry: RegistrySite, copy: Copy
) -> None:
    digest = registry.leaves[3].kit_digest
    copy.change(shard_of(copy, digest), lambda data: data.replace(_record(data, digest), b""))
    page = open_at(chromium, f"{copy.url}/lookup.html#{format_hash(digest)}")
    assert title(page) == "Not found"
    assert "does not mean that a kit is false" in said(page)
    page.close()


def _record(data: bytes, key: bytes) -> bytes:
    at = data.index(key[:8])
    return data[at : at + 12]


def test_an_index_that_is_not_there_is_made_up_for_by_the_bundles(
    chromium: Browser, registry: RegistrySite, copy: Copy
) -> None:
    digest = registry.leaves[3].kit_digest
    shutil.rmtree(copy.root / "v1/index")
    page = open_at(chromium, f"{copy.url}/lookup.html#{format_hash(digest)}")
    assert (tone(page), "The hash is the kit's digest" in said(page)) == ("good", True)
    page.close()


def spoil_entry(leaf: Leaf, copy: Copy) -> None:
    """The entry's file says another time: it hashes to something else."""
    copy.change(
        layout.entry_path(leaf.hash()), lambda data: data.replace(b'"outcome":"PASS"', b'"outcome":"FAIL"')
    )


def forge_entry(leaf: Leaf, copy: Copy) -> None:
    """The entry's file is another leaf's, with this one's hash written into it."""

    def forge(data: bytes) -> bytes:
        record = parse_record(data)
        return LeafRecord(
            replace(record.leaf, issued_at=record.leaf.issued_at - 9), record.leaf_hash
        ).format()

    copy.change(layout.entry_path(leaf.hash()), forge)


def spoil_path(leaf: Leaf, copy: Copy) -> None:
    """The audit path has one hash changed."""

    def spoil(data: bytes) -> bytes:
        text = take_members(parse_json(data))["audit_path"]
        assert isinstance(text, list)
        first = str(text[0])
        return data.replace(first.encode(), format_hash(sha256(parse_hash(first))).encode())

    copy.change(layout.inclusion_path(leaf.hash()), spoil)


def spoil_signature(leaf: Leaf, copy: Copy) -> None:
    """The checkpoint in the receipt has another signature."""

    def spoil(data: bytes) -> bytes:
        checkpoint = take_members(take_members(parse_json(data))["checkpoint"])
        signature = take_string(checkpoint, "signature")
        return data.replace(signature.encode(), (signature[1:-1] + signature[0] + "A").encode())

    copy.change(layout.inclusion_path(leaf.hash()), spoil)


def drop_receipt(leaf: Leaf, copy: Copy) -> None:
    """The registry receipt is gone."""
    copy.change(layout.inclusion_path(leaf.hash()), lambda _: None)


def swap_receipt(leaf: Leaf, copy: Copy) -> None:
    """The registry receipt is another entry's, whole in itself."""
    names = sorted((copy.root / "v1/proofs/inclusion").iterdir())
    other = next(path for path in names if path.stem != format_hash(leaf.hash()))
    copy.change(layout.inclusion_path(leaf.hash()), lambda _: other.read_bytes())


@pytest.mark.parametrize(
    "spoil", [spoil_entry, forge_entry, spoil_path, spoil_signature, drop_receipt, swap_receipt]
)
def test_an_entry_whose_proof_fails_is_not_shown(
    chromium: Browser, registry: RegistrySite, copy: Copy, spoil: Callable[[Leaf, Copy], None]
) -> None:
    leaf = registry.leaves[7]
    spoil(leaf, copy)
    for value in (format_hash(leaf.hash()), format_hash(leaf.statement_hash)):
        page = open_at(chromium, f"{copy.url}/lookup.html#{value}")
        assert (tone(page), title(page)) == ("bad", "The proof failed"), said(page)
        assert format_hash(leaf.manifest_root) not in said(page)
        assert "issued on" not in said(page)
        assert clean(page) == []
        page.close()


def test_a_newest_checkpoint_that_is_forged_is_caught(
    chromium: Browser, registry: RegistrySite, copy: Copy
) -> None:
    size = f'"tree_size":{registry.head.size}'.encode()
    copy.change(
        layout.LATEST, lambda data: data.replace(size, f'"tree_size":{registry.head.size + 1}'.encode())
    )
    page = open_at(chromium, f"{copy.url}/lookup.html#{format_hash(registry.leaves[3].hash())}")
    assert (tone(page), title(page)) == ("bad", "The proof failed")
    page.close()


def test_a_registry_that_does_not_answer_is_said_not_to(
    browser: Browser, registry: RegistrySite, copy: Copy
) -> None:
    page = browser.open(f"{copy.url}/lookup.html")
    page.evaluate(
        "document.querySelector('#hash').value = argument", format_hash(registry.leaves[3].kit_digest)
    )
    copy.stop()
    page.click("form button")
    page.wait_for(FOUND)
    assert (tone(page), title(page)) == ("warn", "The registry could not be reached")
    assert "Nothing was looked up" in said(page)
    page.close()


def test_the_front_page_shows_the_state(browser: Browser, registry: RegistrySite) -> None:
    page = browser.open(f"{registry.url}/")
    page.wait_for("/ago/.test(document.querySelector('[data-stat=age]').textContent)")
    assert page.text("[data-stat=tree_size]") == f"{registry.head.size:,}"
    page.wait_for("document.querySelector('[data-stat=witnesses]').textContent === 'none'")
    page.wait_for("!document.querySelector('[data-plot]').hidden")
    assert page.evaluate("return document.querySelectorAll('[data-growth] svg, [data-gaps] svg').length") == 2
    identity = parse_trust(registry.service.public.read(layout.TRUST) or b"").identity().format()
    page.wait_for(f"document.querySelector('[data-identity]').textContent === '{identity}'")
    assert page.errors() == []
    page.close()


def test_the_chain_can_be_walked(browser: Browser, registry: RegistrySite) -> None:
    page = open_at(browser, f"{registry.url}/checkpoints.html#2")
    assert (tone(page), title(page)) == ("good", "Checkpoint 2"), said(page)
    page.click(".walk a")
    page.wait_for(f"{FOUND}?.textContent.startsWith('Checkpoint 1')")
    assert "does not hold" not in said(page)
    page.click(".walk a")
    page.wait_for(f"{FOUND}?.textContent.startsWith('Checkpoint 0')")
    assert "the empty tree" in said(page)
    assert page.errors() == []
    page.close()


def test_a_checkpoint_with_other_bytes_is_caught(
    chromium: Browser, registry: RegistrySite, copy: Copy
) -> None:
    name = next(name for name in registry.service.public.list("v1/checkpoints/") if "latest" not in name)
    copy.change(name, lambda data: data.replace(b'"tree_size":', b'"tree_size":1'))
    page = open_at(chromium, f"{copy.url}/checkpoints.html#{Path(name).stem}")
    assert (tone(page), title(page)) == ("bad", "The proof failed")
    page.close()


def test_keys_and_notices_are_shown(browser: Browser, registry: RegistrySite) -> None:
    page = browser.open(f"{registry.url}/keys.html")
    page.wait_for("document.querySelector('[data-notices] dl')")
    (kid,) = registry.service.log.signers
    assert kid in page.text("[data-keys]")
    assert "New registry key" in page.text("[data-notices]")
    assert page.errors() == []
    page.close()


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a registry with its site whose chain fills a bundle."""
    home = made_once(tmp_path_factory, "long-chain", _make_long_chain)
    with served(home / "registry", tmp_path_factory.mktemp("old") / "served") as (url, _):
        yield url


def _make_long_chain(home: Path) -> None:
    publish(home)
    log = TestLog(home)
    ports = log.ports()
    log.round(ports, 3)
    for _ in range(300):
        log.round(ports)
    log.round(ports, 4)


def test_a_long_chain_is_read_by_bundles(browser: Browser, old: str) -> None:
    page = browser.open(f"{old}/")
    page.wait_for("!document.querySelector('[data-plot]').hidden")
    assert "303 checkpoints" in page.text("[data-plot-note]")
    assert page.errors() == []
    assert len([url for url in page.requests() if "/v1/checkpoints/" in url and "bundle" not in url]) < 60
    page.close()


@pytest.mark.parametrize("sequence", [0, 1, 254, 255, 256, 302])
def test_a_checkpoint_is_found_by_its_number(chromium: Browser, old: str, sequence: int) -> None:
    page = open_at(chromium, f"{old}/checkpoints.html#{sequence}")
    assert (tone(page), title(page)) == ("good", f"Checkpoint {sequence}"), said(page)
    assert f"{sequence + 1} →" in page.text(".walk") or sequence == 302
    page.close()


def test_a_number_beyond_the_newest_is_not_found(chromium: Browser, old: str) -> None:
    page = open_at(chromium, f"{old}/checkpoints.html#303")
    assert (tone(page), title(page)) == ("warn", "Not found")
    page.close()
