"""verify.html as a pure function: same input, same bytes; what can't be made into one file is refused."""

import base64
import hashlib
import json
import re

import pytest

from issuer.release.page import PageError, build_page
from support.build import make
from support.page import page_parts, verifier_page

TEMPLATE, STYLE, MODULES = page_parts()
TRUST = make().trust.format()
MINIMAL = {"page.js": 'import { one } from "./one.js";\none();\n', "one.js": "export function one() {}\n"}


def built(**changes: object) -> str:
    parts = {"template": TEMPLATE, "style": STYLE, "modules": MINIMAL, "trust": TRUST, **changes}
    return build_page(**parts).decode()  # type: ignore[arg-type]


def test_the_same_input_makes_the_same_bytes_in_whatever_order_it_comes() -> None:
    reversed_modules = dict(reversed(MODULES.items()))
    assert build_page(TEMPLATE, STYLE, MODULES, TRUST) == build_page(TEMPLATE, STYLE, reversed_modules, TRUST)


def test_the_policy_allows_the_one_script_and_the_one_style_by_their_hashes_and_nothing_else() -> None:
    page = verifier_page(TRUST).decode()
    script, style = (re.search(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL) for tag in ("script", "style"))
    assert script and style
    hashes = [f"'sha256-{_hash(found[1])}'" for found in (script, style)]
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    assert policy
    assert policy[1] == (
        f"default-src 'none'; script-src {hashes[0]}; style-src {hashes[1]}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_nothing_is_loaded_from_elsewhere() -> None:
    page = verifier_page(TRUST).decode()
    assert re.findall(r'<(?:script|link|img|iframe)[^>]*\s(?:src|href)="([^"]*)"', page) == ["data:,"]
    assert not re.search(r"https?://[a-z]", page.replace("https://${registry}", ""))
    assert "import(" not in page


def test_the_trust_root_can_not_end_its_element() -> None:
    trust = json.dumps({"a": "</script><script>alert(1)</script>"}, separators=(",", ":")).encode()
    page = built(trust=trust)
    assert page.count("<script") == 2
    inside = re.search(r'id="trust-root">(.*?)</script>', page)
    assert inside
    assert json.loads(inside[1]) == json.loads(trust)  # noqa: TID251


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("page.js", 'import { gone } from "./gone.js";\n', "gone.js is imported by page.js and is missing"),
        ("one.js", 'import { main } from "./page.js";\nexport function one() {}\n', "imports itself"),
        ("one.js", "export default function () {}\n", "form of import or export"),
        ("one.js", "export { one };\nfunction one() {}\n", "form of import or export"),
        ("one.js", 'export function one() { return import("./x.js"); }\n', "form of import or export"),
        ("page.js", 'import { one as two } from "./one.js";\n', "under another name"),
        ("one.js", 'export function one() { return "</script>"; }\n', "end its element"),
        ("one.js", 'export function one() { return "<!--"; }\n', "end its element"),
    ],
)
def test_a_module_that_can_not_be_taken_in_is_refused(name: str, text: str, message: str) -> None:
    with pytest.raises(PageError, match=re.escape(message)):
        built(modules={**MINIMAL, name: text})


def test_a_template_without_its_places_is_refused() -> None:
    with pytest.raises(PageError, match="0 times, wanted once"):
        built(template=TEMPLATE.replace("trust-root", "trust"))
    with pytest.raises(PageError, match="2 times, wanted once"):
        built(template=TEMPLATE + '<link rel="stylesheet" href="../assets/verify/verify.css">')


def test_a_trust_root_that_is_no_canonical_json_is_refused() -> None:
    with pytest.raises(ValueError, match="not canonical JSON"):
        built(trust=b"{ }")


def test_each_module_stands_behind_those_that_it_imports() -> None:
    page = verifier_page(TRUST).decode()
    seen: set[str] = set()
    for name in re.findall(r"/\* ---- (\S+) ---- \*/", page):
        assert (
            set(re.findall(r'^import .*? from "\./(\S+)";', MODULES[name], re.MULTILINE | re.DOTALL)) <= seen
        )
        seen.add(name)
    assert seen == MODULES.keys()
