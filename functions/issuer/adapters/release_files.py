"""Reads what a release is made of: the core's modules and their stand-ins, as they lie in this repository."""

from collections.abc import Mapping
from pathlib import Path

from issuer.errors import StoreError
from issuer.release.single_file import STANDINS

FUNCTIONS = Path(__file__).parents[2]


def read_sources(functions: Path = FUNCTIONS) -> Mapping[str, str]:
    """The text of each module by its name, stand-ins in their places. Raises `StoreError`."""
    paths = [path for path in sorted((functions / "attestlayer").glob("*.py")) if path.stem[0] != "_"]
    paths += [functions / "issuer" / "release" / "standins" / f"{name}.py" for name in STANDINS]
    try:
        return {path.stem: path.read_text(encoding="utf-8") for path in paths}
    except OSError as error:
        raise StoreError(f"the sources in {functions}: {error.strerror}") from error
