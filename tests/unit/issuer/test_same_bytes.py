"""The same inputs, times and seeds make the same kit in any process, whatever surrounds it."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[2]

SURROUNDINGS: dict[str, dict[str, str]] = {
    "plain": {},
    "C": {"LC_ALL": "C", "LANG": "C", "TZ": "UTC", "PYTHONHASHSEED": "0"},
    "Turkish, Kathmandu": {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8", "TZ": "Asia/Kathmandu"},
    "German, Chatham": {
        "LC_ALL": "de_DE.UTF-8",
        "LANG": "de_DE",
        "TZ": "Pacific/Chatham",
        "PYTHONHASHSEED": "1",
    },
    "Latin-1": {
        "LC_ALL": "en_US.ISO-8859-1",
        "PYTHONUTF8": "0",
        "PYTHONHASHSEED": "4294967295",
        "TZ": "XXX+25",
    },
    "optimised": {
        "PYTHONOPTIMIZE": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "COLUMNS": "20",
        "HOME": "/nonexistent",
    },
}


def sealed_in(name: str, folder: Path) -> str:
    """What a process in these surroundings makes, started in a folder of its own."""
    place = folder / name.replace(" ", "-")
    (place / "cwd").mkdir(parents=True)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "TZ"))}  # noqa: TID251
    paths = os.pathsep.join(str(ROOT / part) for part in ("functions", "tests"))
    done = subprocess.run(
        [sys.executable, str(HERE / "seal_one_kit.py"), str(place / "home")],
        cwd=place / "cwd",
        env={**kept, "PYTHONPATH": paths, **SURROUNDINGS[name]},
        capture_output=True,
        text=True,
        check=False,
        umask=0o077 if name == "C" else 0o022,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_kit_is_the_same_bytes_in_any_surroundings(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda name: sealed_in(name, tmp_path), SURROUNDINGS))
    assert len(made[0].split()) == 2
    assert dict(zip(SURROUNDINGS, made, strict=True)) == dict.fromkeys(SURROUNDINGS, made[0])
