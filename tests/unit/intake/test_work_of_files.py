"""What recognising each of the files costs: CPU time, and memory of a process that sees all of them."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
MOST_CPU_S = 2.0
MOST_MEMORY = 300 * 1024 * 1024
"""Bounds for one record; the slowest of these files takes a tenth of them."""
CHILD = """
import json, re, time
from pathlib import Path
from issuer.intake.recognise import recognise
from unit.intake.test_files_refused import REFUSED
from unit.intake.test_files_taken import TAKEN
cost = {}
for kind, (name, make, _) in {**TAKEN, **REFUSED}.items():
    data = make()
    start = time.process_time()
    recognise(name, data)
    cost[kind] = time.process_time() - start
# Not ru_maxrss: Linux counts in it what the process that started this one had.
most = re.search(r"VmHWM:\\s*([0-9]+) kB", Path("/proc/self/status").read_text())
print(json.dumps([cost, int(most[1]) * 1024]))
"""


def test_no_file_takes_more_than_its_share() -> None:
    path = f"import sys; sys.path[:0] = [{str(ROOT / 'functions')!r}, {str(ROOT / 'tests')!r}]\n"
    done = subprocess.run([sys.executable, "-c", path + CHILD], capture_output=True, check=True, text=True)
    cost, memory = json.loads(done.stdout)  # noqa: TID251 - what the child printed
    assert len(cost) > 150
    assert {kind: seconds for kind, seconds in cost.items() if seconds > MOST_CPU_S} == {}
    assert memory < MOST_MEMORY
