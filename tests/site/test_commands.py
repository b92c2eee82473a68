"""Every command that a page names works as it stands there: it runs here, or README's test runs it."""

import re
import shutil
import subprocess
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

from attestlayer.cli.main import main as attestlayer_main
from attestlayer.encoding import format_hash
from attestlayer.kit.manifest import CLIENT_NONCE, RECEIPT, REGISTRY_RECEIPT
from attestlayer.log.layout import rewrite_query
from attestlayer.log.leaf import parse_registry_receipt
from issuer.cli.main import main as issuer_main
from support.registry_site import RegistrySite
from support.site_pages import SITE, Page
from support.tools import require

ROOT = SITE.parent
COMMAND = re.compile(r"(?:attestlayer|issuer|zip|sha256sum|openssl|curl|python|scripts/)\b[^\n]* [^\n]+")
BY_README = {
    "attestlayer verify",
    "attestlayer verify kit.zip --trust trust.json",
    "attestlayer verify --registry",
    "attestlayer trust update",
}
"""What README runs or, of the last two, says; the tests of online verification run them."""


def written(pages: dict[str, Page], *, changelog: bool = False) -> set[str]:
    """The commands in code on the pages that templates make, or on the changelog's."""
    names = [name for name in pages if not name.startswith(("decisions/", "spec", "serving", "changelog"))]
    names = ["changelog.html"] if changelog else names
    codes = ["".join(each.itertext()).strip() for name in names for each in pages[name].all("code")]
    return {code for code in codes if COMMAND.fullmatch(code)}


def test_these_commands_are_on_the_pages(pages: dict[str, Page]) -> None:
    assert written(pages) == BY_README | set(HASHES), "a new command on a page needs a test that runs it"
    readme = (ROOT / "README.md").read_text()
    assert all(command in readme for command in BY_README)


@pytest.mark.parametrize("program", ["attestlayer", "issuer"])
def test_the_changelog_names_commands_that_there_are(
    pages: dict[str, Page], program: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main = {"attestlayer": attestlayer_main, "issuer": issuer_main}[program]
    named = {each.split()[1] for each in written(pages, changelog=True) if each.split()[0] == program}
    assert named
    with suppress(SystemExit):
        main(["--help"])
    listed = capsys.readouterr().out
    assert [each for each in named if not re.search(rf"^ +{each}\b", listed, flags=re.MULTILINE)] == []


HASHES = {
    f"zip -d kit.zip {REGISTRY_RECEIPT} && sha256sum kit.zip": "kit_digest",
    "sha256sum receipt.json": "statement_hash",
    "sha256sum registry/client_nonce.txt": "client_nonce_hash",
}


@pytest.mark.parametrize("command", HASHES)
def test_a_command_prints_the_hash_that_the_entry_names(
    registry: RegistrySite, tmp_path: Path, command: str
) -> None:
    require("zip")
    shutil.copyfile(registry.issued.kit, tmp_path / "kit.zip")
    with zipfile.ZipFile(registry.issued.kit) as kit:
        for name in (RECEIPT, CLIENT_NONCE):
            kit.extract(name, tmp_path)
        leaf = parse_registry_receipt(kit.read(REGISTRY_RECEIPT)).record.leaf
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].split()[0] == getattr(leaf, HASHES[command]).hex()


def test_every_address_on_the_transparency_page_is_served(
    registry: RegistrySite, pages: dict[str, Page]
) -> None:
    """The patterns with real values in their places."""
    leaf = registry.leaves[3]
    values = {
        "{leaf_hash}": format_hash(leaf.hash()),
        "{intake_policy_hash}": format_hash(leaf.intake_policy_hash),
        "leaf_hash=X": f"leaf_hash={format_hash(leaf.hash())}",
        "from_size=A&to_size=B": f"from_size=0&to_size={registry.head.size}",
        "/tile/<L>/<N>[.p/<W>]": "/tile/0/000",
        "/tile/entries/<N>[.p/<W>]": "/tile/entries/000",
        "/v1/index/<L>/<N>/<S>": "/v1/index/1/000/001",
        "/v1/checkpoints/{hash}.json": f"/{_of(registry, 'v1/checkpoints/')}",
        "/v1/notices/{hash}.json": f"/{_of(registry, 'v1/notices/')}",
        "/v1/jwks/registry/{kid}.vkey": f"/{_of(registry, 'v1/jwks/registry/')}",
    }
    addresses = [
        "".join(row[0].itertext()) for row in pages["transparency.html"].all("tr") if row[0].tag == "td"
    ]
    addresses = [each for each in addresses if each.startswith("/")]
    assert len(addresses) == 22
    for address in addresses:
        if address in UNSERVED_HERE:
            continue
        for placeholder, value in values.items():
            address = address.replace(placeholder, value)  # noqa: PLW2901
        path, _, query = address.partition("?")
        name = rewrite_query(path, query)
        if name.startswith("v1/proofs/consistency/"):  # made on demand for a pair that no round stored
            assert registry.service.prover.consistency(0, registry.head.size)
            continue
        assert registry.service.public.read(name) is not None, address


UNSERVED_HERE = {"/v1/checkpoints/bundle/<N>"}
"""The first bundle comes with the 256th checkpoint."""


def _of(registry: RegistrySite, folder: str) -> str:
    return next(name for name in registry.service.public.list(folder) if "latest" not in name)
