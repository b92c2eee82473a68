"""The browser verifier's modules under node: every vector comes out as it does for the Python core."""

import base64
import importlib.util
import json
import re
import subprocess
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

import pytest

from attestlayer.cli.text import Subject, _sentence
from attestlayer.cli.verify import check_kit
from attestlayer.encoding import shown
from attestlayer.errors import Reason
from attestlayer.log.trust import parse_trust
from attestlayer.verify.steps import STEPS
from support import build
from support.bounds import bounded
from support.browsers import Browser
from support.packed import HONEST
from support.serving import served
from support.thorough import thorough
from support.tools import require
from support.vectors import judged, judged_disclosure
from support.vectors_containers import SOME

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
VECTORS = ROOT / "tests" / "vectors"
LISTS = sorted(VECTORS.glob("*.json"))
KITS = sorted((VECTORS / "kits").glob("*.json"))
DISCLOSURES = sorted((VECTORS / "disclosures").glob("*.json"))


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="ascii"))  # noqa: TID251


def answers(vectors: list[dict[str, Any]], *options: str) -> list[dict[str, Any]]:
    lines = "".join(json.dumps(vector) + "\n" for vector in vectors)
    command = [str(require("node")), str(HERE / "vectors.mjs"), *options]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]  # noqa: TID251


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
@pytest.mark.parametrize("options", [(), ("--without-webcrypto",)], ids=["webcrypto", "bundled"])
def test_each_vector_of_a_list_comes_out_as_expected(path: Path, options: tuple[str, ...]) -> None:
    vectors = load(path)
    assert wrongly_answered(vectors, answers(vectors, *options)) == []


def wrongly_answered(
    vectors: list[dict[str, Any]], found: list[dict[str, Any]]
) -> list[tuple[str, Any, Any]]:
    """Comment, what is expected, what came: a word, or the whole report where the vector holds one."""
    wanted = [{"word": v["expect"], **({"report": v["report"]} if "report" in v else {})} for v in vectors]
    return [(v["comment"], w, f) for v, w, f in zip(vectors, wanted, found, strict=True) if w != f]


def test_no_expression_looks_for_the_end_of_a_run_from_each_place_in_it() -> None:
    """`/[ \\t]+$/` does, which takes the square of the run's length: policies of blanks took a minute."""
    modules = [*(ROOT / "site/assets/verify").glob("*.js"), *(ROOT / "site/assets/explorer").glob("*.js")]
    literal = re.compile(r"/(?![/*])((?:\\.|\[(?:\\.|[^\]\n])*\]|[^/\\\[\n])+)/[a-z]*")
    unanchored = re.compile(r"(?:^|\|)(?:\[(?:\\.|[^\]])*\]|\\.|\.)[+*]\$$")
    found = [
        f"{path.name}: {match[0]}"
        for path in modules
        for match in literal.finditer(path.read_text("utf-8"))
        if unanchored.search(match[1])
    ]
    assert (len(modules) > 30, found) == (True, [])


@pytest.mark.parametrize("accepted", [False, thorough(True)])
def test_notices_are_refused_past_their_bounds(*, accepted: bool) -> None:
    vectors = [vector for vector in bounded() if accepted or vector["expect"] != "accepted"]
    assert len(vectors) == (7 if accepted else 4)
    assert wrongly_answered(vectors, answers(vectors, "--without-webcrypto")) == []


def test_each_vector_of_the_lists_comes_out_as_expected_in_a_browser(each_browser: Browser) -> None:
    """By the browser's own engine, WebCrypto and decoders."""
    vectors = [vector for path in LISTS for vector in load(path)]
    with served(ROOT) as url:
        page = each_browser.open(f"{url}/tests/js/blank.html")
        code = """
        const { judgeVector } = await import("/tests/js/judge.mjs");
        const answers = [];
        for (const input of argument) answers.push(await judgeVector(input));
        return answers;
        """
        found = page.evaluate(code, [vector["input"] for vector in vectors])
        page.close()
    assert wrongly_answered(vectors, found) == []


def test_the_sentence_under_each_verdict_is_the_commands(tmp_path: Path) -> None:
    vectors = {path.parent.name + path.stem: load(path) for path in [*KITS, *DISCLOSURES]}
    vectors = {name: vector for name, vector in vectors.items() if in_memory(vector["input"])}
    parted = {}
    for (name, vector), answer in zip(vectors.items(), answers(list(vectors.values())), strict=True):
        if vector["expect"] == Reason.TRUST_ROOT_UNUSABLE:
            continue
        (tmp_path / name).mkdir()
        is_kit = vector["input"]["kind"] == "kit"
        report = (
            judged(vector, tmp_path / name).report if is_kit else judged_disclosure(vector, tmp_path / name)
        )
        assert report
        origin = parse_trust(vector["input"]["trust"].encode()).origin
        sentence = _sentence(report, Subject("KIT", origin))
        if answer["sentence"] != sentence:
            parted[name] = (answer["sentence"], sentence)
    assert parted == {}


def in_memory(given: dict[str, Any]) -> bool:
    return ("zip" in given or "folder" in given) and not given.get("links")


def test_each_kit_comes_out_as_expected() -> None:
    """But for what only a file system can hold: a link, nothing at all. The command-line runner has these."""
    vectors = {path.stem: load(path) for path in KITS}
    kits = {
        name: v
        for name, v in vectors.items()
        if ("zip" in v["input"] or "folder" in v["input"]) and not v["input"].get("links")
    }
    assert sorted(vectors.keys() - kits.keys()) == ["absent", "link-in-folder", "two-links-in-folder"]
    assert wrongly_judged(kits) == {}
    assert wrongly_judged(kits, "--without-webcrypto") == {}


def test_each_disclosed_record_comes_out_as_expected() -> None:
    vectors = {path.stem: load(path) for path in DISCLOSURES}
    assert len(vectors) > 25
    assert wrongly_judged(vectors) == {}


def wrongly_judged(vectors: dict[str, Any], *options: str) -> dict[str, Any]:
    wrong = {}
    found_of_all = answers(list(vectors.values()), *options)
    for (name, vector), answer in zip(vectors.items(), found_of_all, strict=True):
        expected = {"word": vector["expect"], "report": vector["report"]}
        if "step" in vector:
            expected |= {
                "step": vector["step"],
                "files": vector["files"],
                "remarks": sorted(vector["remarks"]),
            }
        found = {key: answer[key] for key in expected}
        if found != expected:
            wrong[name] = (expected, found)
    return wrong


def test_the_steps_have_the_python_cores_names_and_number_of_checks() -> None:
    """The table stands in both languages; what its checks come to, vectors hold."""
    code = """import { STEPS } from "./steps.js";
    console.log(JSON.stringify(STEPS.map(({ name, needsTrust, kit, record, receipt }) => (
      [name, needsTrust, kit.length, record.length, receipt.length]
    ))));"""
    command = [str(require("node")), "--input-type=module", "-e", code]
    done = subprocess.run(
        command, cwd=ROOT / "site/assets/verify", capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == [  # noqa: TID251
        [step.name, step.needs_trust, len(step.kit), len(step.record), len(step.receipt)] for step in STEPS
    ]


def test_the_words_are_the_python_cores() -> None:
    loader = SourceFileLoader("make_verifier_words", str(ROOT / "scripts/make-verifier-words"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec
    made = importlib.util.module_from_spec(spec)
    loader.exec_module(made)
    assert made.TARGET.read_text(encoding="utf-8") == made.words_js()


def test_a_platform_that_cannot_inflate_says_so_and_how_to_go_on() -> None:
    """A browser of before 2023 knows no deflate-raw; what is stored, it can read."""
    code = f"""
    delete globalThis.DecompressionStream;
    const {{ CORE, bytesSource }} = await import("{HERE / "core.mjs"}");
    for (const text of process.argv.slice(1)) {{
      const data = CORE.encoding.parseBase64(text);
      const refusal = (error) => `${{error.reason}}: ${{error.message}}`;
      console.log(await CORE.zip_reader.readZip(bytesSource(data)).then(() => "read", refusal));
    }}
    """
    zips = [base64.b64encode(HONEST[name][1](SOME)).decode() for name in ("by-python", "by-go")]
    command = [require("node"), "--input-type=module", "-e", code, *zips]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True)
    stored, deflated = done.stdout.splitlines()
    assert stored == "read"
    assert deflated.startswith("input-unreadable: ")
    assert "unpack it into an empty folder" in deflated


MESSAGES = [
    *("דנה", "क्\u200dष", "山田\u3000太郎", "葛\U000e0100城", "👩\u200d👧 ❤\ufe0f"),
    *(
        "e\u0301\u0301\u0301\u0301\u0301",
        "\u0301",
        "\x1b[2J\x9b31m",
        "\u202egnp",
        "a\u2028\x85\r\n\t",
        "\udc80",
    ),
    *("a\u200bb\u200dc", "\u3164\u034f", "M.\xa0D", "it's \"x\\", "x" * 81, "é" * 81, "😀" * 81),
    ["é", None, True, {"k\u202e": "\x1b"}],
    [1] * 99,
]


def test_messages_print_foreign_text_as_the_python_core_does() -> None:
    code = (
        f'import {{ shown }} from "{(ROOT / "site/assets/verify/encoding.js").as_uri()}"; let text = "";'
        "for await (const chunk of process.stdin) text += chunk;"
        "console.log(JSON.stringify(JSON.parse(text).map((value) => shown(value))));"
    )
    command = [str(require("node")), "--input-type=module", "-e", code]
    done = subprocess.run(command, input=json.dumps(MESSAGES), capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [shown(value) for value in MESSAGES]  # noqa: TID251


@pytest.mark.parametrize(
    ("issued", "changed"),
    [(b"a\nb\n", b"a\r\nb\r\n"), (b"a\r\nb\r\n", b"a\nb\n"), (b"a\r\n\n", b"a\r\n\r\n"), (b"a\n", b"b\n")],
)
def test_a_file_that_differs_in_line_ends_only_is_said_to_in_the_same_words(
    tmp_path: Path, issued: bytes, changed: bytes
) -> None:
    record = "records/001-a.txt"
    delivered = build.make(build.Scenario(plan=build.Plan(records=((record, issued),))))
    (tmp_path / "trust.json").write_bytes(delivered.trust.format())
    for name, data in {**delivered.members, record: changed}.items():
        (tmp_path / "kit" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "kit" / name).write_bytes(data)
    command = [
        str(require("node")),
        str(HERE / "verify.mjs"),
        str(tmp_path / "kit"),
        str(tmp_path / "trust.json"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    report = check_kit(tmp_path / "kit", delivered.trust)
    wanted = [str(failure) for failure in report.steps[2].failures]
    steps = json.loads(done.stdout)["steps"]  # noqa: TID251
    assert [each["message"] for each in steps[2]["failures"]] == wanted
    # Line ends that were mixed can't be told from others once they are all alike.
    assert ("only its line ends" in wanted[0]) == (issued not in (b"a\n", b"a\r\n\n"))
