"""Every page: valid, whole in its links, without anything from outside, in words that claim nothing."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from attestlayer.encoding import sha256
from attestlayer.kit.receipt import BOUNDARY
from attestlayer.log import layout
from attestlayer.log.trust import parse_trust
from issuer.intake.catalogue import load_policies
from issuer.kits.terms import SCHEDULE, TIERS
from support.registry_site import RegistrySite
from support.site_pages import BUILT_AT, ORIGIN, SITE, Page, parse_page, publish

LOADING = {"script": "src", "link": "href", "img": "src", "iframe": "src", "form": "action", "source": "src"}


def test_there_is_a_page_for_everything_that_is_promised(pages: dict[str, Page]) -> None:
    wanted = {f"policies/{each.lane_id}-{each.profile_id}.html" for each in load_policies().newest()}
    wanted |= {f"decisions/{path.stem}.html" for path in (SITE / "content/decisions").glob("*.md")}
    wanted |= {"index.html", "404.html", "changelog.html", "lookup.html", "transparency.html", "faq.html"}
    assert wanted <= set(pages)


def test_every_page_is_valid_html(pages: dict[str, Page]) -> None:
    assert {name: page.errors for name, page in pages.items() if page.errors} == {}


def test_ids_occur_once_and_are_what_labels_name(pages: dict[str, Page]) -> None:
    for name, page in pages.items():
        assert len(page.ids) == len(set(page.ids)), name
        for element in page.tree.iter():
            for attribute in ("aria-labelledby", "for"):
                if attribute in element.attrib:
                    assert element.attrib[attribute] in page.ids, (name, element.attrib)


def test_every_page_has_a_title_of_its_own_a_language_and_one_first_heading(pages: dict[str, Page]) -> None:
    titles = {name: "".join(page.all("title")[0].itertext()) for name, page in pages.items()}
    assert len(set(titles.values())) == len(titles)
    for name, page in pages.items():
        assert page.tree.attrib["lang"] == "en"
        assert len(page.all("h1")) == 1, name
        levels = [int(element.tag[1]) for element in page.all("h1", "h2", "h3", "h4")]
        assert all(after <= before + 1 for before, after in pairwise(levels)), name


def test_r38_the_boundary_stands_on_every_page(pages: dict[str, Page]) -> None:
    assert (
        BOUNDARY == "Integrity and issuance evidence only. Not audit, certification, or compliance guarantee."
    )
    for name, page in pages.items():
        assert BOUNDARY in page.text, name


def test_nothing_is_loaded_from_elsewhere(published: dict[str, bytes], pages: dict[str, Page]) -> None:
    for name, page in pages.items():
        for element in page.tree.iter():
            assert not any(
                attribute.startswith("on") or attribute == "style" for attribute in element.attrib
            ), name
            source = element.attrib.get(LOADING.get(str(element.tag), ""))
            assert source is None or re.match(r"/(?!/)", source), (name, source)
        assert not page.all("style", "base", "object", "embed"), name
        assert all("src" in script.attrib for script in page.all("script")), name
    for name, data in published.items():
        if name.startswith(("assets/explorer/", "assets/registry.css")):
            addresses = set(re.findall(rb"https?://[^\s\"'`)]+", data))
            assert addresses <= {b"http://www.w3.org/2000/svg"}, name
            assert b"@import" not in data, name
            assert not (name.endswith(".css") and b"url(" in data), name


def test_a_page_states_the_policy_that_its_headers_state(pages: dict[str, Page]) -> None:
    assert layout.PAGE_POLICY.startswith("default-src 'none'; script-src 'self'; ")
    for name, page in pages.items():
        stated = [each.attrib["content"] for each in page.all("meta") if "http-equiv" in each.attrib]
        # A policy in a page can't say who may frame it: that is the header's alone.
        assert stated == [layout.PAGE_POLICY.replace("; frame-ancestors 'none'", "")], name
        assert layout.headers_of(name)["Content-Security-Policy"] == layout.PAGE_POLICY


def test_every_link_leads_somewhere(
    registry: RegistrySite, published: dict[str, bytes], pages: dict[str, Page]
) -> None:
    served = set(registry.service.public.list(""))
    for name, page in pages.items():
        for element in page.all("a", "link"):
            target = urlsplit(element.attrib["href"])
            if target.scheme == "mailto":
                assert target.path == "security@attestlayer.com"
                continue
            assert (target.scheme, target.netloc) == ("", ""), (name, element.attrib["href"])
            path = target.path.removeprefix("/") or ("index.html" if target.path else name)
            assert path in served | published.keys(), (name, element.attrib["href"])
            if target.fragment:
                assert target.fragment in pages[path].ids, (name, element.attrib["href"])


CLAIMS = re.compile(
    r"\b(certified|compliant|certifies|accredited|guaranteed|guarantees? (?:that|of)|tamper-?proof|"
    r"unhackable|military-grade|bank-grade|seamless\w*|effortless\w*|world-class|industry-leading|best-in-class|"
    r"revolution\w*|cutting-edge|trusted by|peace of mind|immutable forever)\b|\b100 ?%",
    re.IGNORECASE,
)
APPROVED = re.compile(r"\bapproved\b", re.IGNORECASE)


def test_r39_no_page_claims_what_a_kit_does_not_prove(pages: dict[str, Page]) -> None:
    for name, page in pages.items():
        assert not CLAIMS.findall(page.text), name
        if not name.startswith("policies"):  # there it is the client's own approval that a record shows
            assert not APPROVED.findall(page.text), name


def test_the_lint_of_words_finds_a_claim() -> None:
    for claim in (
        "We are certified.",
        "a compliant company",
        "100% safe",
        "AttestLayer guarantees that it is so",
    ):
        assert CLAIMS.search(claim)


def test_r40_nothing_is_sold_to_the_client(pages: dict[str, Page]) -> None:
    for name, page in pages.items():
        assert not re.search(
            r"\b(sign up|buy now|free trial|pricing|contact sales|get started)\b", page.text, re.I
        ), name


def test_retention_and_tiers_are_those_of_their_one_schedule(pages: dict[str, Page]) -> None:
    for name in ("transparency.html", "faq.html"):
        for line in SCHEDULE:
            assert f"{line.what}{line.words}" in pages[name].text.replace(f"{line.what} ", line.what), (
                name,
                line,
            )
    assert [line.words for line in SCHEDULE] == ["24 hours", "30 days", "90 days after delivery", "7 years"]
    rows = ["".join(row.itertext()) for row in pages["partners.html"].all("tr")]
    assert [f"{tier.name.capitalize()}{tier.credits}{tier.open_packets}" for tier in TIERS] == rows[1:]


def test_every_policy_is_there_in_words(pages: dict[str, Page]) -> None:
    for policy in load_policies().newest():
        page = pages[f"policies/{policy.lane_id}-{policy.profile_id}.html"]
        for rule in policy.rules():
            assert " ".join(rule.sentence.split()) in page.text
            assert " ".join(rule.fix.split()) in page.text
        for record_type in policy.record_types:
            assert record_type.title in page.text
            assert " ".join(record_type.description.split()) in page.text
            assert all(field.title in page.text for field in record_type.metadata)


def test_r86_security_txt_says_what_rfc_9116_asks_for(published: dict[str, bytes]) -> None:
    text = published[layout.SECURITY].decode()
    lines = dict(line.split(": ", 1) for line in text.splitlines())
    assert lines["Contact"] == "mailto:security@attestlayer.com"
    assert lines["Canonical"] == f"https://{ORIGIN}/.well-known/security.txt"
    expires = datetime.strptime(lines["Expires"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    left = expires - datetime.fromtimestamp(BUILT_AT, UTC)
    assert timedelta(days=170) < left < timedelta(days=365)
    assert urlsplit(lines["Policy"]).path.removeprefix("/") in published
    assert layout.headers_of(layout.SECURITY)["Content-Type"] == "text/plain; charset=utf-8"


def test_a_release_again_on_the_same_day_changes_nothing(tmp_path: Path) -> None:
    once = publish(tmp_path)
    assert publish(tmp_path) == once
    assert all(parse_page(name, data).errors == () for name, data in once.items() if name == "404.html")


def test_the_specification_is_served_raw_and_as_a_page(
    published: dict[str, bytes], pages: dict[str, Page]
) -> None:
    source = SITE / "content/spec/REG-1.0.md"
    if source.is_file():
        assert published[layout.SPECIFICATION] == source.read_bytes()
        headings = re.findall(
            r"^#{1,3} (.+)$", re.sub(r"```.*?```", "", source.read_text(), flags=re.S), re.M
        )
        shown = ["".join(each.itertext()) for each in pages["spec.html"].all("h1", "h2", "h3")]
        assert [each.replace("`", "") for each in headings] == shown
    else:
        pytest.fail("site/content/spec/REG-1.0.md is missing")


def test_r83_the_pages_name_the_kit_of_verifiers_and_the_trust_root_that_are_served(
    registry: RegistrySite,
) -> None:
    public = registry.service.public
    kit, trust = public.read(layout.VERIFY_KIT), public.read(layout.TRUST)
    assert kit
    assert trust
    for name in ("index.html", "transparency.html"):
        page = parse_page(name, public.read(name) or b"")
        assert sha256(kit).hex() in page.text
        assert "/v1/verify-kit.zip" in {element.attrib["href"] for element in page.all("a")}
    front = parse_page("index.html", public.read("index.html") or b"")
    assert parse_trust(trust).identity().format() in front.text
