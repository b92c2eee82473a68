"""The main job on the local cloud: our template on ministack, its functions, a kit that verifies.

CI always runs the same command before the tests.
"""

import os
import subprocess
from pathlib import Path

import pytest

from infra.facts import ROOT
from support.tools import missing, require


@pytest.mark.thorough
def test_the_demo_runs_on_the_local_cloud_and_its_kit_verifies(tmp_path: Path) -> None:
    require("node")
    if not (ROOT / ".venv-servers/.stamp").is_file() or not (ROOT / "dist/local/stamp.json").is_file():
        missing("the local cloud is not there: run scripts/demo --cloud")
    command = [str(ROOT / "scripts/demo"), "--cloud", "--home", str(tmp_path / "home")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}  # noqa: TID251
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1500, env=environment)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "nothing was changed" in said, "deploying again"
    assert "✓ VERIFIED" in done.stdout, said
    assert (tmp_path / "home/kit.zip").stat().st_size > 10_000
