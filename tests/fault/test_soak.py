"""`issuer serve` itself is killed again and again while partners issue over HTTP (`scripts/soak`)."""

from pathlib import Path

import pytest

from fault.soak import Soak

KILLS = 30
SEED = 20261121


def test_a_server_that_is_killed_at_any_moment_keeps_its_promises(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    soak = Soak(tmp_path / "home", SEED)
    kept = soak.run(KILLS, minutes=1)
    with capsys.disabled():
        print(f"\n{soak.counts}\n{kept}")
    assert soak.counts.kills >= KILLS // 3  # fewer than all where the machine is slow: the minute was over
    assert kept.accepted >= KILLS // 3
    assert soak.counts.polls > soak.counts.kills
