"""The largest packets are issued, delivered and verified, in bounded memory (measured by bench/memory.py)."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench" / "memory.py"

PEAK_MIB = 512
"""What a small function may have: measured are 290 MiB for 999 records, 268 MiB for one of 100 MiB."""


@pytest.mark.parametrize(("case", "files"), [("999 records", 1003), ("100 MiB", 5)])
def test_the_largest_packets_fit(case: str, files: int) -> None:
    # A program of its own: the peak of a child counts what its parent had when it was started.
    done = subprocess.run([sys.executable, BENCH, case], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    print(done.stdout)
    found = json.loads(done.stdout)  # noqa: TID251
    assert (found["status"], found["verified_files"]) == (202, files)
    for phase in ("issued_mib", "delivered_mib", "verified_mib"):
        assert found[phase] < PEAK_MIB
    assert found["verified_mib"] < found["issued_mib"]
