"""verify.py: what the file is, what it says, and that it says what `attestlayer` says."""

import ast
import base64
import io
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from attestlayer.cli.main import main
from attestlayer.kit.manifest import REGISTRY_RECEIPT
from attestlayer.kit.receipt import BOUNDARY
from attestlayer.version import VERSION
from issuer.adapters.release_files import read_sources
from issuer.release.single_file import BuildError, make_single_file
from support import build
from support import single_file as single
from support.cases import Subject
from support.judge import write_folder
from support.single_file import NEWEST, OLDEST, Result, isolated, python, run_all
from support.thorough import sampled

VECTORS = Path(__file__).parents[2] / "vectors"


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """verify.py, in a folder of its own."""
    return single.write(tmp_path_factory.mktemp("single"))


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    """A folder with kit.zip and trust.json."""
    (tmp_path / "kit.zip").write_bytes(build.make().zip)
    (tmp_path / "trust.json").write_bytes(build.make().trust.format())
    return tmp_path


def command(line: list[str], monkeypatch: pytest.MonkeyPatch) -> Result:
    """What `attestlayer` makes of the same line."""
    streams = [io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2)]
    with monkeypatch.context() as patch:
        for name, value in single.environment().items():
            patch.setenv(name, value)
        patch.setattr(sys, "stdout", streams[0])
        patch.setattr(sys, "stderr", streams[1])
        code = main(line, clock=lambda: single.NOW)
    for stream in streams:
        stream.flush()
    out, err = (stream.buffer.getvalue().decode() for stream in streams)  # type: ignore[attr-defined]
    return Result(code, out, err)


def vectors(folder: Path) -> list[list[str]]:
    """Command lines for every vector that a command can be given: kits, receipts, trust roots."""
    lines: list[list[str]] = []
    for number, path in enumerate(sorted(VECTORS.rglob("*.json"))):
        content = json.loads(path.read_text())  # noqa: TID251
        for n, vector in enumerate(content if isinstance(content, list) else [content]):
            place = folder / f"{number}-{n}"
            given = vector["input"]
            if given["kind"] in {"kit", "disclosed-record", "receipt-by-trust", "receipt-by-jwks", "trust"}:
                place.mkdir()
                lines += _lines(place, given)
    return lines


def _lines(place: Path, given: dict) -> list[list[str]]:  # type: ignore[type-arg]
    for name in ("trust", "jwks", "data"):
        if name in given and given["kind"] == "kit":
            (place / name).write_bytes(given[name].encode())
        elif name in given:
            data = given[name].encode() if name != "data" else _bytes(given[name])
            (place / name).write_bytes(data)
    trust = ["--trust", str(place / "trust")]
    if given["kind"] == "trust":
        return [["trust", str(place / "data")]]
    if given["kind"] == "receipt-by-trust":
        line = ["verify-receipt", str(place / "data"), *trust]
    elif given["kind"] == "receipt-by-jwks":
        jwks = ["--jwks", str(place / "jwks"), "--origin", given["origin"]]
        line = ["verify-receipt", str(place / "data"), *jwks]
    else:
        line = ["verify", str(_kit(place, given)), *trust]
    return [line, [*line, "--json"]]


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)  # noqa: TID251


def _kit(place: Path, given: dict) -> Path:  # type: ignore[type-arg]
    path = place / "kit"
    if "zip" in given:
        path.write_bytes(_bytes(given["zip"]))
    if "folder" in given:
        members = {name: _bytes(data) for name, data in given["folder"].items()}
        write_folder(path, Subject(trust=b"", folder=members, links=tuple(given.get("links", {}).items())))
    return path


@pytest.fixture(scope="session")
def wanted(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[list[str], Result]]:
    """Command lines for all vectors, and what `attestlayer` makes of each."""
    with pytest.MonkeyPatch.context() as patch:
        return [(line, command(line, patch)) for line in vectors(tmp_path_factory.mktemp("vectors"))]


def test_it_says_word_for_word_what_the_command_says_on_every_vector(
    place: Path, wanted: list[tuple[list[str], Result]]
) -> None:
    found = run_all(place, [line for line, _ in wanted])
    assert len(found) > 300
    assert {result.code for result in found} == {0, 2, 3}
    for (line, said), result in zip(wanted, found, strict=True):
        assert result == said, line


@pytest.mark.parametrize("minor", sampled(range(OLDEST, NEWEST + 1), NEWEST - OLDEST))
def test_each_python_says_the_same(place: Path, wanted: list[tuple[list[str], Result]], minor: int) -> None:
    found = run_all(place, [line for line, _ in wanted], python(minor))
    for (line, said), result in zip(wanted, found, strict=True):
        assert result == said, line


def test_it_says_the_same_on_mutated_kits(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance, made = random.Random(5), build.make()
    (tmp_path / "trust.json").write_bytes(made.trust.format())
    lines = []
    for n in range(300):
        if n % 2:
            data = bytearray(made.zip)
            for _ in range(chance.randrange(1, 4)):
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            changed = bytes(data)
        else:
            name = chance.choice(sorted(made.members))
            content = bytearray(made.members[name])
            content[chance.randrange(len(content))] = chance.randrange(256)
            changed = build.make_zip({**made.members, name: bytes(content)})
        (tmp_path / f"{n}.zip").write_bytes(changed)
        lines.append(
            ["verify", str(tmp_path / f"{n}.zip"), "--trust", str(tmp_path / "trust.json"), "--json"]
        )
    found = run_all(place, lines)
    assert [r.code for r in found].count(3) > 250
    for line, result in zip(lines, found, strict=True):
        assert result == command(line, monkeypatch), line


def test_it_is_a_command_with_the_trust_root_beside_it(kit: Path) -> None:
    place = single.write(kit)
    good = isolated(place, "kit.zip", cwd=kit)
    assert good.code == 0
    assert good.out.startswith("✓ VERIFIED\n")
    assert str(kit / "trust.json") in " ".join(good.out.split())
    assert isolated(place, "kit.zip", "--json", cwd=kit).out.startswith('{\n  "schema"')
    (kit / "bad.zip").write_bytes(build.make_zip({**build.make().members, "records/001-a.txt": b"two\n"}))
    assert isolated(place, "bad.zip", cwd=kit).code == 3
    assert isolated(place, "nothing.zip", cwd=kit).code == 2
    assert isolated(place, cwd=kit).code == 64
    assert isolated(place, "kit.zip", "extra", cwd=kit).code == 64
    assert isolated(place, "trust", "trust.json", cwd=kit).code == 0
    assert isolated(place, "--version", cwd=kit).out == f"attestlayer {VERSION}\n"
    (kit / "receipt.json").write_bytes(build.make().members[REGISTRY_RECEIPT])
    assert isolated(place, "verify-receipt", "receipt.json", cwd=kit).code == 0


def test_a_trust_root_beside_it_within_a_kits_folder_is_refused(tmp_path: Path) -> None:
    """A forger's kit that brings verifier and trust root along can't vouch for itself."""
    write_folder(tmp_path / "kit", Subject(trust=b"", folder=build.make().members))
    place = single.write(tmp_path / "kit")
    (tmp_path / "kit" / "trust.json").write_bytes(build.make().trust.format())
    result = isolated(place, ".", cwd=tmp_path / "kit")
    assert result.code == 2
    assert "a kit can't vouch for itself" in " ".join(result.out.split())


def _said_too_old(place: Path, interpreter: str, version: str, *options: str) -> None:
    done = subprocess.run(
        [interpreter, *options, str(place), "kit.zip"], capture_output=True, text=True, check=False
    )
    said = f"verify.py needs Python 3.8 or newer, this is {version}: no statement about the kit\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)


@pytest.mark.parametrize("minor", [6, 7])
def test_a_python_too_old_could_not_check_and_says_which_it_needs(place: Path, minor: int) -> None:
    _said_too_old(place, python(minor), f"3.{minor}", "-I", "-S")


def test_python_2_could_not_check_and_says_which_python_is_needed(place: Path) -> None:
    _said_too_old(place, single.python_2(), "2.7", "-S")


def test_a_traceback_names_the_lines_of_the_file(tmp_path: Path) -> None:
    lines = single.text().splitlines(keepends=True)
    (at,) = (n for n, line in enumerate(lines) if line.startswith("def selftest("))
    # The body's end: the last line of the return statement is replaced by one that fails.
    lines.insert(at + 1, "    1 / 0\n")
    (tmp_path / "verify.py").write_text("".join(lines), encoding="utf-8")
    driver = f"import runpy; runpy.run_path({str(tmp_path / 'verify.py')!r})['selftest'](None, None)"
    done = subprocess.run([sys.executable, "-c", driver], capture_output=True, text=True, check=False)
    assert f'verify.py", line {at + 2}, in selftest\n    1 / 0\n' in done.stderr


def test_a_kit_of_100_mib_takes_little_memory(place: Path, tmp_path: Path) -> None:
    record = random.Random(1).randbytes(1 << 20) * 100
    made = build.make(build.Scenario(plan=build.Plan(records=(("records/001-a.bin", record),))))
    (tmp_path / "kit.zip").write_bytes(made.zip)
    (tmp_path / "trust.json").write_bytes(made.trust.format())
    line = ["kit.zip", "--trust", "trust.json"]
    script = (
        "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_AS, (300 << 20,) * 2);"
        f"sys.argv = ['verify.py', *{line!r}]; runpy.run_path({str(place)!r}, run_name='__main__')"
    )
    command = [sys.executable, "-I", "-S", "-c", script]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr


def test_it_is_readable_source_of_the_cores_modules(place: Path) -> None:
    text = single.text()
    whole, tree = ast.parse(text), ast.parse(single.source())
    assert BOUNDARY in (ast.get_docstring(whole) or "")
    assert f"verify.py {VERSION}" in (ast.get_docstring(whole) or "")
    for name in ("log/merkle", "verify/steps_kit", "verify/steps", "verify/verifier", "canonical"):
        assert f"\n# attestlayer/{name}.py\n# " in text
    assert "    if index >= head.size:  # step 1\n" in text  # comments of the sources
    assert not any("exec(" in line or "eval(" in line for line in single.source().splitlines())
    # Around it: the version of Python is looked at, and the text that stands there is run.
    statements = [type(node).__name__ for node in whole.body]
    assert statements == ["Expr", "Import", "If", "Assign", "Expr", "If"]
    assert 'exec(compile("\\n" * ' in text.partition(single.source())[2]
    imported = {
        alias.name if isinstance(node, ast.Import) else node.module
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }
    assert {name for name in imported if name and name.split(".")[0] not in sys.stdlib_module_names} == {
        "cryptography.exceptions",
        "cryptography.hazmat.primitives.asymmetric.ed25519",
    }
    assert not {"socket", "urllib", "http", "subprocess", "secrets", "tempfile"} & imported
    assert not any("noqa" in line or "type: ignore" in line for line in text.splitlines())
    assert max(map(len, text.splitlines())) < 200


def test_it_can_neither_sign_nor_issue() -> None:
    defined = {node.name for node in ast.walk(ast.parse(single.source())) if isinstance(node, ast.ClassDef)}
    assert "PrivateKey" not in defined
    assert "PublicKey" in defined


def test_the_same_sources_make_the_same_file() -> None:
    sources = read_sources()
    backwards = dict(reversed(list(sources.items())))
    assert make_single_file(backwards, VERSION, BOUNDARY) == single.text()


MAIN = "from attestlayer.a import one\n\n\ndef main() -> None:\n    one()\n"


@pytest.mark.parametrize(
    ("one", "two", "complaint"),
    [
        ("def two() -> int: ...\n", "def one() -> int: ...\n", "both define one: rename one"),
        ("def sorted() -> int: ...\n", "", "a defines sorted, which is Python's: rename it"),
        ("import json\n", "json = 1\n", "b defines json, which is Python's: rename it"),
        ("print(1)\n", "", "a: line 1 is no definition"),
        ("import rfc8785\n", "", "rfc8785 is not of the standard library"),
        ("from attestlayer.b import two as three\n", "", "a: an import under another name, line 1"),
        ("def late() -> None:\n    import json\n", "", "a: an import within a definition, line 2"),
        ("from attestlayer.b import three\n", "", "a imports three, which b does not define"),
    ],
)
def test_what_can_not_be_put_into_one_file_is_said(one: str, two: str, complaint: str) -> None:
    names = "sorted, two, json, rfc8785, three"
    sources = {
        "cli.standalone": MAIN,
        "a": f"{one}from attestlayer.b import b\n\n\ndef one() -> object:\n    return b(), {names}\n",
        "b": f"{two}\n\ndef b() -> object:\n    return one, json\n",
        "older": "",
    }
    with pytest.raises(BuildError, match=complaint):
        make_single_file(sources, VERSION, BOUNDARY)


def test_the_version_is_pyprojects() -> None:
    project = (Path(__file__).parents[3] / "pyproject.toml").read_text()
    assert f'\nversion = "{VERSION}"\n' in project
