"""A log that nobody touched is clean, whatever its size; an auditor that shares no code agrees."""

from pathlib import Path

import pytest

from support.audit import audit as independent_audit
from support.log import ORIGIN
from support.thorough import thorough
from unit.audit.logs import grow, report_of, start


@pytest.mark.parametrize(
    "counts",
    [
        (),
        (0,),
        (1,),
        (255,),
        (256,),
        (257,),
        (600,),
        thorough((1, 254, 1, 1, 0, 343)),
        (255, 2),
        thorough((3, 3, 500, 94)),
    ],
    ids=str,
)
def test_a_log_that_nobody_touched_is_clean(tmp_path: Path, counts: tuple[int, ...]) -> None:
    log, ports = start(tmp_path)
    grow(log, ports, *counts)
    report = report_of(tmp_path / "registry")
    assert report.findings == ()
    assert report.newest.head.size == sum(counts)
    independent_audit(tmp_path / "registry", ORIGIN)


def test_a_log_with_bundled_checkpoints_is_clean(tmp_path: Path) -> None:
    log, ports = start(tmp_path)
    grow(log, ports, 2, *[0] * 258, 3)
    report = report_of(tmp_path / "registry")
    assert report.findings == ()
    assert report.newest.sequence == 260
