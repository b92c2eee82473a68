"""README's commands run as they stand there, in the order in which they stand there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from issuer.intake.catalogue import load_policies
from issuer.intake.policy import MAX_RECORDS, MAX_TOTAL_SIZE
from support.home import IssuedKit, issue_sample
from support.thorough import THOROUGH
from support.tools import require

MIB = 1024 * 1024

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def block(heading: str) -> list[str]:
    """The commands of the first shell block behind a heading, without their comments."""
    text = README.partition(f"## {heading}\n")[2]
    found = re.search(r"```sh\n(.*?)```", text, flags=re.DOTALL)
    assert found, heading
    return [line.partition("  #")[0].rstrip() for line in found[1].splitlines()]


def run(command: str, folder: Path) -> str:
    """A command's output; it must succeed."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # noqa: TID251
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": path},  # noqa: TID251
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> IssuedKit:
    require("bash")
    return issue_sample(tmp_path_factory.mktemp("issued"))


def test_the_two_commands_are_there() -> None:
    for command in block("Two commands"):
        assert os.access(ROOT / command, os.X_OK)


def test_a_kit_is_verified_as_it_says(issued: IssuedKit) -> None:
    demo, _, install, *commands = block("Verify a kit in 60 seconds")
    assert (demo, install) == ("scripts/demo --home demo", "verifier/bin/pip install .")
    # Installed already, and the kit of another home than the demo's: the next test runs it all as it stands.
    (issued.kit.parent / "demo").symlink_to(issued.kit.parent)
    said = [run(command.replace("verifier/bin/", ""), issued.kit.parent) for command in commands]
    check_verified(said)


def check_verified(said: list[str]) -> None:
    assert "VERIFIED" in said[1]
    assert '"verdict":"VERIFIED"' in said[2].replace(" ", "")


@THOROUGH
def test_a_kit_is_verified_as_it_stands_there(tmp_path: Path) -> None:
    for part in ROOT.iterdir():
        (tmp_path / part.name).symlink_to(part)
    check_verified([run(command, tmp_path) for command in block("Verify a kit in 60 seconds")][3:])


def test_the_limits_are_those_of_the_policies() -> None:
    policies = load_policies().policies
    records = [
        min(policy.max_records, sum(kind.max_count for kind in policy.record_types)) for policy in policies
    ]
    sizes = {kind.max_size // MIB for policy in policies for kind in policy.record_types}
    total = MAX_TOTAL_SIZE // MIB
    said = " ".join(README.partition("## Limits, measured")[2].split())
    assert said.startswith(
        f"A packet holds at most {min(records)} to {max(records)} records, depending on its profile, "
        f"each of at most {' or '.join(map(str, sorted(sizes)))} MiB, and {total} MiB in all. "
        f"The format allows {MAX_RECORDS} records and {total} MiB"
    )


def test_a_kit_is_issued_by_hand_as_it_says(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "site", tmp_path / "site")
    commands = [command for command in block("Run it") if not command.startswith("issuer serve")]
    known = {"DIR": "home"}
    for command in commands:
        for name, value in known.items():
            command = re.sub(rf"\b{name}\b", value, command)  # noqa: PLW2901
        said = run(command, tmp_path)
        for name, pattern in (("WORKSPACE", r"\bws_\w+"), ("PACKET", r"\bpkt_\w+")):
            if found := re.search(pattern, said):
                known.setdefault(name, found[0])
    assert (tmp_path / "kit.zip").stat().st_size > 100_000


def test_every_folder_of_the_map_is_there() -> None:
    rows = re.findall(r"^\| `(.+?)` \|", README.partition("## Map")[2], flags=re.MULTILINE)
    assert rows
    for row in rows:
        assert (ROOT / row.split("`")[0]).exists(), row
