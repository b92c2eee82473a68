"""Generates the vectors: `python tests/vectors/generate.py` writes them, with no other output.

Deterministic: keys, times and identifiers are fixed, and Ed25519 signatures are.
"""

import json
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent / "functions")]

from support.known_bytes import KNOWN, format_known, known_bytes  # noqa: E402
from support.known_kits import PLACE, known_kits  # noqa: E402
from support.vectors import all_vectors  # noqa: E402


def files() -> dict[str, str]:
    """The text of each vector file by its name."""
    return {
        name: json.dumps(content, indent=1, sort_keys=True, ensure_ascii=True) + "\n"
        for name, content in all_vectors().items()
    }


def main() -> None:
    """Write every vector file and remove those that are no vectors any more."""
    written = files()
    for old in [*(HERE / "kits").glob("*.json"), *(HERE / "disclosures").glob("*.json")]:
        if old.relative_to(HERE).as_posix() not in written:
            old.unlink()
    for name, text in written.items():
        path = HERE / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="ascii", newline="\n")
    PLACE.parent.mkdir(exist_ok=True)
    PLACE.write_bytes(known_kits())
    with tempfile.TemporaryDirectory() as folder:
        KNOWN.write_text(format_known(known_bytes(Path(folder))), "utf-8")


if __name__ == "__main__":
    main()
