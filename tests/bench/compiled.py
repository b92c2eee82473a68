"""What compiled files in a function's zip would save: `python tests/bench/compiled.py ZIP [RUNS]`.

For zips of this machine's Python (scripts/build --local). A cold start without them compiles what it
imports, since nothing can be written beside a function's code. CPU time, median of the runs.
"""

import os
import py_compile
import statistics
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from imports import CLOUD, IN_LAMBDA


def cpu_s(folder: Path, handler: str) -> float:
    """Seconds of CPU to import the handler."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(folder), **IN_LAMBDA, **CLOUD}  # noqa: TID251
    command = [sys.base_prefix + "/bin/python3", "-B", "-S", "-c", f"import issuer.handlers.{handler}"]
    before = os.times()
    subprocess.run(command, env=environment, check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def compile_all(folder: Path) -> None:
    """Compiled files that depend on the source's bytes alone and are never checked (PEP 552)."""
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    for path in sorted(folder.rglob("*.py")):
        py_compile.compile(str(path), dfile=path.relative_to(folder).as_posix(), invalidation_mode=mode)


def main() -> None:
    archive, runs = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 5
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(folder)
        for what in ("sources", "compiled"):
            size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
            taken = [cpu_s(folder, archive.stem) for _ in range(runs)]
            spread = f"({min(taken):.2f} to {max(taken):.2f} s)"
            told = f"{statistics.median(taken):5.2f} s {spread}, {size / 1e6:.1f} MB"
            print(f"{archive.stem:10} {what:9} {told}")
            if what == "sources":
                compile_all(folder)


if __name__ == "__main__":
    main()
