"""The largest packets are issued, delivered and verified, in bounded memory (measured by bench/memory.py)."""

import pytest

from bench.memory import CASES, run

PEAK_MIB = 512
"""What a small function may have: measured are 290 MiB for 999 records, 268 MiB for one of 100 MiB."""


@pytest.mark.parametrize("case", CASES)
def test_the_largest_packets_fit(case: str) -> None:
    found = run(case)
    print(found)
    assert (found["status"], found["verified_files"]) == (202, {"999 records": 1003, "100 MiB": 5}[case])
    for phase in ("issued_mib", "delivered_mib", "verified_mib"):
        assert float(str(found[phase])) < PEAK_MIB
    assert float(str(found["verified_mib"])) < float(str(found["issued_mib"]))
