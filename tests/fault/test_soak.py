"""`issuer serve` itself is killed again and again while partners issue over HTTP (`scripts/soak`)."""

from pathlib import Path

import pytest

from fault.soak import Soak
from support.thorough import thorough

MINUTES = 5
SEED = 20261121


@pytest.mark.parametrize("kills", [8, thorough(200)])
def test_a_server_that_is_killed_at_any_moment_keeps_its_promises(
    tmp_path: Path, kills: int, capsys: pytest.CaptureFixture[str]
) -> None:
    soak = Soak(tmp_path / "home", SEED)
    kept = soak.run(kills, MINUTES)
    with capsys.disabled():
        print(f"\n{soak.counts}\n{kept}")
    assert soak.counts.kills >= kills // 3  # fewer than all where the machine is slow: the time was over
    assert kept.accepted > 0  # how many is the machine's affair
    assert soak.counts.polls > soak.counts.kills
