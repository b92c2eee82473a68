"""Reads the parts of a release from this repository: the core's modules, the verifier page, vectors."""

from collections.abc import Mapping
from pathlib import Path

from issuer.errors import StoreError
from issuer.ports import ReleaseParts
from issuer.release.single_file import STANDINS

FUNCTIONS = Path(__file__).parents[2]


def read_sources(functions: Path = FUNCTIONS) -> Mapping[str, str]:
    """The text of each core module by its dotted name, stand-ins in place of theirs. Raises `OSError`."""
    core, standins = functions / "attestlayer", functions / "issuer" / "release" / "standins"
    modules = [path.relative_to(core) for path in sorted(core.rglob("*.py")) if path.stem[0] != "_"]
    paths = {".".join(module.with_suffix("").parts): core / module for module in modules}
    paths |= {name: standins / f"{name}.py" for name in STANDINS}
    return {name: path.read_text(encoding="utf-8") for name, path in paths.items()}


class ReleaseFiles:
    """`issuer.ports.ReleaseReader` over files. `site`: a folder with `templates`, `assets` and `content`."""

    def __init__(self, site: Path, functions: Path = FUNCTIONS) -> None:
        self._site = site
        self._functions = functions

    def read(self) -> ReleaseParts:
        """Read all parts into memory. Raises `StoreError` if one can't be read."""
        verify, content = self._site / "assets" / "verify", self._site / "content"
        try:
            return ReleaseParts(
                sources=read_sources(self._functions),
                page=(self._site / "templates" / "verify.html").read_text(encoding="utf-8"),
                style=(verify / "verify.css").read_text(encoding="utf-8"),
                modules={path.name: path.read_text(encoding="utf-8") for path in sorted(verify.glob("*.js"))},
                specification=(content / "spec" / "REG-1.0.md").read_bytes(),
                vectors=(content / "verify-kit" / "vectors.json").read_bytes(),
            )
        except OSError as error:
            raise StoreError(f"a part of the release: {error.filename}: {error.strerror}") from error
