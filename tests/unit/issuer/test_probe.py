"""A store that takes the conditions of a write and ignores them is found out before a log is in it."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from attestlayer.log import layout
from attestlayer.reading.registry import FolderRegistry
from issuer.adapters.local.directory import DirectoryStore
from issuer.adapters.system import SystemEntropy
from issuer.bootstrap import home as home_module
from issuer.cli.main import main
from issuer.errors import Code, ObjectConflictError, ServiceError, StaleTagError
from issuer.log.state import HEAD
from issuer.services.probe import Probe
from unit.audit.logs import found_in


@dataclass
class Careless:
    """A store whose server takes `If-None-Match` or `If-Match` and ignores it."""

    store: DirectoryStore
    ignores_absent: bool = False
    ignores_tag: bool = False

    def __str__(self) -> str:
        return f"the careless store over {self.store}"

    def __getattr__(self, name: str) -> object:
        return getattr(self.store, name)

    def create(self, name: str, data: bytes) -> None:
        try:
            self.store.create(name, data)
        except ObjectConflictError:
            if not self.ignores_absent:
                raise
            self._overwrite(name, data)

    def replace(self, name: str, data: bytes, tag: str | None) -> None:
        try:
            self.store.replace(name, data, tag)
        except StaleTagError:
            if not (self.ignores_absent if tag is None else self.ignores_tag):
                raise
            self._overwrite(name, data)

    def _overwrite(self, name: str, data: bytes) -> None:
        current = self.store.read_tagged(name)
        self.store.replace(name, data, current.tag if current else None)


def _stores(place: Path) -> tuple[DirectoryStore, DirectoryStore]:
    return DirectoryStore(place / "public"), DirectoryStore(place / "private", private=True)


def _probe(public: object, private: object) -> Probe:
    return Probe(public, private, SystemEntropy())  # type: ignore[arg-type]


def test_a_store_that_honours_both_passes_and_keeps_nothing_of_it(tmp_path: Path) -> None:
    public, private = _stores(tmp_path)
    for _ in range(2):
        _probe(public, private).run()
    assert list(private.list("")) == []
    assert list(public.list("")) == [layout.NOT_FOUND_PROBLEM]


CASES = [
    ({"ignores_absent": True}, "create-if-absent", "compare-and-swap"),
    ({"ignores_tag": True}, "compare-and-swap", "create-if-absent"),
]


@pytest.mark.parametrize(("fault", "named", "other"), CASES)
@pytest.mark.parametrize("which", ["public", "private"])
def test_a_store_that_ignores_a_condition_is_refused_by_name(
    tmp_path: Path, fault: dict[str, bool], named: str, other: str, which: str
) -> None:
    public, private = _stores(tmp_path)
    stores = {"public": public, "private": private}
    stores[which] = Careless(stores[which], **fault)  # type: ignore[assignment]
    with pytest.raises(ServiceError, match=named) as refused:
        _probe(stores["public"], stores["private"]).run()
    assert refused.value.code is Code.STORE_UNUSABLE
    assert f"the careless store over the folder {tmp_path / which}" in refused.value.detail
    assert other not in refused.value.detail
    assert list(private.list("")) == []


def test_what_was_published_is_kept_though_the_store_ignores_both(tmp_path: Path) -> None:
    public, private = _stores(tmp_path)
    public.create(layout.NOT_FOUND_PROBLEM, b"published")
    careless = Careless(public, ignores_absent=True, ignores_tag=True)
    with pytest.raises(ServiceError, match=r"If-None-Match\) and compare-and-swap"):
        _probe(careless, private).run()
    assert public.read(layout.NOT_FOUND_PROBLEM) == b"published"


@pytest.mark.parametrize("which", [0, 1])
def test_init_and_serve_refuse_such_a_store_before_they_write_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], which: int
) -> None:
    home, opened = tmp_path / "home", home_module._open_stores

    def careless(place: Path, *, read_only: bool = False) -> tuple[object, ...]:
        stores = list(opened(place, read_only=read_only))
        stores[which] = Careless(stores[which], ignores_tag=True)  # type: ignore[arg-type,call-overload]
        return tuple(stores)

    with monkeypatch.context() as patch:
        patch.setattr(home_module, "_open_stores", careless)
        assert main(["init", "--home", str(home)]) == 2
        assert "ignores compare-and-swap (If-Match)" in capsys.readouterr().err
    assert not (home / "private" / HEAD).exists()
    assert main(["init", "--home", str(home)]) == 0
    monkeypatch.setattr(home_module, "_open_stores", careless)
    assert main(["serve", "--home", str(home), "--port", "0"]) == 2
    assert "ignores compare-and-swap (If-Match)" in capsys.readouterr().err


def test_a_registry_that_was_probed_is_clean(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for _ in range(2):
        assert main(["init", "--home", str(home)]) == 0
    assert found_in(home / "registry") == []
    names = FolderRegistry(home / "registry").names()
    assert not [name for name in names if "probe" in name]
    assert not list((home / "private").glob("probe*"))
    assert main(["audit", "--home", str(home)]) == 0
