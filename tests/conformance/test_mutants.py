"""Each of these wrong verifiers is found by the vector that was made for it.

A verifier that is wrong in one place is the core with one line of its source changed.
"""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.cases import Subject, small
from support.judge import judge, told
from support.packed import AMBIGUOUS
from support.single_file import environment
from support.verifiers import Given, lay_out, load

ROOT = Path(__file__).parents[2]
KITS = ROOT / "tests/vectors/kits"


@dataclass(frozen=True)
class Mutant:
    """`right` stands once in a module; with `wrong` in its place, `vector` comes out otherwise."""

    module: str
    right: str
    wrong: str
    vector: str


_SIGNED = "if key and key.public.verifies(checkpoint.signature, checkpoint.signed_bytes()):"
MUTANTS = {
    "any incident explains a late merge": Mutant(
        "log/trust",
        'if data["kind"] == IncidentKind.LATE_MERGE:',
        "if True:",
        "late-merge-with-an-incident-of-another-kind",
    ),
    "leftovers of any size are ignored": Mutant(
        "kit/contents",
        "return file.size <= _SMALL and _is_small",
        "return _is_small",
        "folder-with-large-leftover",
    ),
    "two top folders are taken off": Mutant(
        "kit/contents",
        "    named = {name[len(top) :]: file for name, file in kept.items()}\n",
        "    top += _top_folder(name[len(top) :] for name in kept)\n"
        "    named = {name[len(top) :]: file for name, file in kept.items()}\n",
        "folder-in-two-folders",
    ),
    "names may differ in case alone": Mutant(
        "kit/zip_names",
        "folded = sorted(path.lower() for path in paths)",
        "folded = sorted(paths)",
        "ambiguous-leftover-twice",
    ),
    "bytes may lie between entries": Mutant(
        "kit/zip_entry", "    elif gap:\n", "    elif False:\n", "ambiguous-bytes-between-entries"
    ),
    "a local header may have another size": Mutant(
        "kit/zip_entry",
        "(compressed, entry.compressed), (size, entry.size))",
        "(compressed, entry.compressed))",
        "ambiguous-local-size-differs",
    ),
    "descriptors are not looked at": Mutant(
        "kit/zip_entry",
        'if raw not in (content, b"PK',
        'if False and (content, b"PK',
        "ambiguous-descriptor-differs",
    ),
    "bytes may follow deflated data": Mutant(
        "kit/zip_reader",
        "if inflater.eof and (inflater.unused_data or self._window.read(1)):",
        "if False:",
        "ambiguous-bytes-behind-the-deflated-data",
    ),
    "a second name does not matter": Mutant(
        "kit/zip_entry",
        "and not _repeats(fields[_UNICODE_PATH], name):",
        "and False:",
        "ambiguous-unicode-name-differs",
    ),
    "records are submitted in order of their names": Mutant(
        "verify/steps_kit",
        "sorted((pairs[i] for i in places), key=str)",
        "list(pairs[i] for i in places)",
        "several-records",
    ),
    "what a second line by a key says does not matter": Mutant(
        "verify/steps_registry",
        '            else:\n                message = f"a line of registry key',
        '            elif not signed:\n                message = f"a line of registry key',
        "note-line-invalid-beside-a-valid-one",
    ),
    "the leaf hash is the stated one in step 11": Mutant(
        "log/leaf",
        "check_inclusion(self.record.leaf.hash(),",
        "check_inclusion(self.record.leaf_hash,",
        "leaf-hash-differs",
    ),
    "the leaf hash is the stated one in step 15": Mutant(
        "verify/steps_registry",
        "leaf, keyring = receipt.record.leaf.hash(),",
        "leaf, keyring = receipt.record.leaf_hash,",
        "withdrawn-under-another-leaf-hash",
    ),
    "000 makes no record's name": Mutant(
        "kit/manifest", 'r"records/([0-9]{3})-', 'r"records/((?!000)[0-9]{3})-', "record-of-number-000"
    ),
    "checks may name any path": Mutant(
        "verify/steps_kit",
        " or not named <= {path for path, _ in listed}",
        "",
        "check-of-an-unknown-record",
    ),
    "a trust root may hold other notices": Mutant(
        "log/trust",
        "if notices.hash() != checkpoint.notices_hash:",
        "if False:",
        "trust-root-without-its-last-notice",
    ),
    "events may have any number": Mutant(
        "verify/steps_kit",
        "if (event.n, event.prev) != (n, previous):",
        "if event.prev != previous:",
        "trail-numbered-from-one",
    ),
    "the nonce's checkpoint may be of any registry": Mutant(
        "verify/steps_registry",
        "        or checkpoint.origin != evidence.anchors.keyring.origin\n",
        "",
        "nonce-checkpoint-of-another-registry",
    ),
    "the digest is taken of strange members too": Mutant(
        "verify/steps_kit",
        "    if evidence.kit.unexpected:  # of",
        "    if False:  # of",
        "folder-with-large-leftover",
    ),
    "whoever made the checkpoint accuses": Mutant(
        "verify/steps_registry", _SIGNED, "if True:", "checkpoint-unsigned"
    ),
    "of several links any is named": Mutant(
        "reading/files", "min(strange, key", "max(strange, key", "two-links-in-folder"
    ),
}


def report_by(functions: Path, given: Given) -> dict[str, object]:
    """The report of the core in that folder, as vectors hold it."""
    command = [sys.executable, "-m", "attestlayer", "verify", given.kit, "--trust", given.trust, "--json"]
    around = {**environment(), "PYTHONPATH": str(functions)}
    done = subprocess.run(command, env=around, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)  # noqa: TID251
    steps = [
        {
            "status": step["status"],
            "unproven": step["unproven"] is not None,
            "failures": [{"reason": f["reason"], "files": f["files"]} for f in step["failures"]],
            # The command's clock is this machine's; a vector says nothing of its trust root's age.
            "remarks": [note["remark"] for note in step["notes"] if note["remark"] != "trust-root-old"],
        }
        for step in report["steps"]
    ]
    return {"verdict": report["verdict"], "steps": steps}


def kit_of(name: str, place: Path) -> tuple[Given, dict[str, object]]:
    """A vector's kit and its report, or a small kit that is packed ambiguously."""
    if not name.startswith("ambiguous-"):
        vector = load(KITS / f"{name}.json")
        return lay_out(vector, place / "vector")[0], vector["report"]
    subject = Subject(
        zip=AMBIGUOUS[name.removeprefix("ambiguous-")][1](small().members), trust=small().trust.format()
    )
    (place / "kit.zip").write_bytes(subject.zip or b"")
    (place / "trust.json").write_bytes(subject.trust)
    return Given(place / "kit.zip", place / "trust.json"), told(judge(subject, place).whole)


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_a_wrong_verifier_is_found(mutant: Mutant, tmp_path: Path) -> None:
    given, report = kit_of(mutant.vector, tmp_path)
    module = shutil.copytree(ROOT / "functions/attestlayer", tmp_path / "attestlayer") / f"{mutant.module}.py"
    assert report_by(tmp_path, given) == report
    source = module.read_text(encoding="utf-8")
    assert source.count(mutant.right) == 1
    module.write_text(source.replace(mutant.right, mutant.wrong), encoding="utf-8")
    assert report_by(tmp_path, given) != report
