"""The template: what linters see, what they do not, and that planted errors are found."""

import json
import re
import subprocess
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from template import Template, load_template, package

import infra.facts_edge
import infra.facts_rights
import infra.facts_running
import infra.facts_stores  # noqa: F401
from attestlayer.log import layout
from infra.facts import FACTS, ROOT
from infra.planted import PLANTED, Plant
from support.tools import missing

LINTERS = ROOT / ".venv-template", ROOT / ".venv-checkov"


def packaged() -> Template:
    """The template as it is deployed, but for the zips' names."""
    template = load_template()
    functions = [r for r in template["Resources"].values() if r["Type"] == "AWS::Serverless::Function"]
    names = [Path(function["Properties"]["CodeUri"]).stem for function in functions]
    return package(template, {name: f"functions/{name}-0.zip" for name in names})


@pytest.fixture(scope="module")
def template() -> Template:
    return packaged()


@pytest.mark.parametrize("name", sorted(FACTS))
def test_the_fact_holds(template: Template, name: str) -> None:
    assert FACTS[name](template) == []


def test_there_is_one_name_for_each_file_that_is_built(template: Template) -> None:
    from build import ZIPS

    built = {
        r["Properties"]["CodeUri"]["Key"].split("/")[1].removesuffix("-0.zip") for r in _functions(template)
    }
    assert built == ZIPS.keys()


def _functions(template: Template) -> list[dict[str, Any]]:
    return [r for r in template["Resources"].values() if r["Type"] == "AWS::Serverless::Function"]


def test_the_locked_packages_of_the_functions_are_those_that_the_tests_ran_on() -> None:
    tested = _pins("dev")
    for name in ("function-issue", "function-log", "function-prove"):
        pins = _pins(name)
        assert len(pins) > 5
        assert {package: tested.get(package) for package in pins} == pins


def _pins(name: str) -> dict[str, str]:
    lines = (ROOT / f"infra/lock/{name}.txt").read_text(encoding="utf-8").splitlines()
    pinned = [line.partition(" ")[0] for line in lines if "==" in line.partition(" ")[0]]
    return dict(pin.split("==") for pin in pinned)


def test_parameter_files_name_parameters_that_there_are(template: Template) -> None:
    files = sorted((ROOT / "infra/parameters").glob("*.json"))
    assert {path.stem for path in files} == {"production", "sandbox"}
    origins = set()
    for path in files:
        chosen = json.loads(path.read_text(encoding="utf-8"))  # noqa: TID251
        assert chosen["parameters"].keys() <= template["Parameters"].keys()
        assert not chosen["parameters"].keys() & {"Rounds", "CodeBucket"}, "these are the deployment's own"
        origins.add(chosen["parameters"]["Origin"])
        for name, value in chosen["parameters"].items():
            allowed = template["Parameters"][name].get("AllowedValues", [value])
            assert value in allowed, f"{path.stem}: {name}"
    assert len(origins) == len(files), "a log has one origin"


@pytest.mark.parametrize(
    ("name", "page"), [("Headers", "index.html"), ("VerifierHeaders", layout.VERIFIER_PAGE)]
)
def test_pages_have_the_content_security_policy_that_every_server_gives_them(
    template: Template, name: str, page: str
) -> None:
    policy = template["Resources"][name]["Properties"]["ResponseHeadersPolicyConfig"]
    csp = policy["SecurityHeadersConfig"]["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    assert csp == layout.headers_of(page)["Content-Security-Policy"]


def test_pages_need_no_more_than_the_content_security_policy_gives() -> None:
    for page in (ROOT / "site/templates").glob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert "<style" not in text, page
        assert " style=" not in text, page
        assert "<script>" not in text, page


@pytest.mark.parametrize(("what", "name", "plant"), PLANTED, ids=[what for what, _, _ in PLANTED])
def test_a_planted_error_is_found(template: Template, what: str, name: str, plant: Plant) -> None:
    damaged = deepcopy(template)
    plant(damaged["Resources"])
    assert FACTS[name](damaged), what


def test_every_fact_has_an_error_that_it_finds() -> None:
    spared = {"every_function_is_told_all_that_the_settings_read"}  # of Globals: below
    assert FACTS.keys() - {name for _, name, _ in PLANTED} == spared


def test_a_setting_that_is_not_told_is_found(template: Template) -> None:
    damaged = deepcopy(template)
    damaged["Globals"]["Function"]["Environment"]["Variables"].pop("ATTESTLAYER_TABLE")
    assert FACTS["every_function_is_told_all_that_the_settings_read"](damaged)


def test_cfn_lint_sam_and_checkov_have_nothing_to_say(template: Template, tmp_path: Path) -> None:
    if not all((venv / ".stamp").is_file() for venv in LINTERS):
        missing("the template's linters are not installed: run scripts/lint-template --setup")
    path = tmp_path / "template.json"
    path.write_text(json.dumps(template), encoding="utf-8")
    done = subprocess.run(
        [str(ROOT / "scripts/lint-template"), str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Failed checks: 0" in done.stdout


def test_every_skip_of_checkov_says_why(template: Template) -> None:
    for name, resource in template["Resources"].items():
        for skip in resource.get("Metadata", {}).get("checkov", {}).get("skip", []):
            assert skip["id"].startswith("CKV"), name
            assert len(skip["comment"].split()) >= 5, f"{name} {skip['id']}"
    for line in (ROOT / "infra/checkov.yaml").read_text("utf-8").splitlines():
        if line.startswith("  -"):
            assert re.fullmatch(r"  - CKV_AWS_\d+ # [^:]+: (\S+ ){4,}\S+", line)
