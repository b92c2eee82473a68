"""A copy that is made in the order of REG-1.0 section 10.6 is clean, though the log grows meanwhile."""

from collections.abc import Callable, Iterable
from pathlib import Path

from attestlayer.audit.views import NAMES
from attestlayer.log import layout
from support.large import LargeLog
from unit.audit.logs import change, found_in

Grow = Callable[[], None]


def _copy(source: Path, target: Path, names: Iterable[str]) -> None:
    for name in names:
        change(target, name, (source / name).read_bytes())


def _fixed(source: Path) -> list[str]:
    paths = (path for path in source.rglob("*") if path.is_file())
    return sorted({str(path.relative_to(source)) for path in paths} - set(NAMES))


def _mirror(source: Path, target: Path, *, grow: Grow) -> None:
    """The steps for a tool that copies what it lists; the log grows while it does so the first time."""
    growing = True
    while True:
        views = {name: (source / name).read_bytes() for name in NAMES}
        names = _fixed(source)
        _copy(source, target, names[: len(names) // 2])
        if growing:
            grow()
            growing = False
        _copy(source, target, _fixed(source))
        if (source / layout.LATEST).read_bytes() == views[layout.LATEST]:
            break
    for name in (*(each for each in NAMES if each != layout.LATEST), layout.LATEST):
        change(target, name, views[name])


def _log(place: Path) -> LargeLog:
    log = LargeLog(place)
    log.grow([3, 0, 40])
    return log


def test_a_copy_in_the_order_of_the_specification_is_clean(tmp_path: Path) -> None:
    log = _log(tmp_path / "log")
    _mirror(log.root, tmp_path / "copy", grow=lambda: log.grow([300, 2]))
    assert found_in(tmp_path / "copy") == []


def test_views_after_the_rest_name_what_the_copy_lacks(tmp_path: Path) -> None:
    log = _log(tmp_path / "log")
    _copy(log.root, tmp_path / "copy", _fixed(log.root))
    log.grow([300])
    _copy(log.root, tmp_path / "copy", NAMES)
    assert "missing" in {word for _, word in found_in(tmp_path / "copy")}
