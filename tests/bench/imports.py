"""How long each handler takes to import, in a process of its own: `python tests/bench/imports.py [RUNS]`.

What a cold start costs beside Lambda's own part. Median of the runs; modules that are heavy are named.
"""

import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HANDLERS = sorted(
    path.stem for path in (ROOT / "functions/issuer/handlers").glob("*.py") if path.stem != "__init__"
)
HEAVY = (
    *("aws_lambda_powertools.event_handler", "aws_xray_sdk", "boto3", "botocore", "cryptography", "jinja2"),
    *("jsonschema_rs", "obstore", "PIL", "pikepdf", "pydantic", "sqlite3", "typst"),
)
IN_LAMBDA = {
    "AWS_LAMBDA_FUNCTION_NAME": "bench",
    "POWERTOOLS_SERVICE_NAME": "bench",
    "POWERTOOLS_METRICS_NAMESPACE": "AttestLayer",
    "POWERTOOLS_TRACE_DISABLED": "1",
}
CLOUD = {
    "ATTESTLAYER_ORIGIN": "registry.example.org",
    "ATTESTLAYER_BASE_URL": "https://api.example.org",
    "ATTESTLAYER_REGISTRY_BUCKET": "registry",
    "ATTESTLAYER_PRIVATE_BUCKET": "private",
    "ATTESTLAYER_TABLE": "ledger",
    "ATTESTLAYER_REGISTRY_KEYS": "kms:1",
    "ATTESTLAYER_ISSUER_KEYS": "wrapped:2:keys/issuer.json",
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
}

_PROGRAM = """
import sys, time
start = time.perf_counter()
import issuer.handlers.{name} as module
imported = time.perf_counter()
if module.__name__.endswith("prove"):
    from issuer.bootstrap.process import prover as ready
else:
    from issuer.bootstrap.process import service as ready
ready()
print(imported - start, time.perf_counter() - start, *[m for m in {heavy!r} if m in sys.modules])
"""


def measure(name: str) -> tuple[float, float, list[str]]:
    """Seconds to import a handler, and until its service is put together; heavy modules loaded then."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(name=name, heavy=HEAVY)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "functions"), **IN_LAMBDA, **CLOUD},  # noqa: TID251
        capture_output=True,
        text=True,
        check=True,
    )
    imported, ready, *loaded = done.stdout.split()
    return float(imported), float(ready), loaded


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    for name in HANDLERS:
        found = [measure(name) for _ in range(runs)]
        imported, ready = (statistics.median(each[at] for each in found) * 1000 for at in (0, 1))
        print(f"{name:10} {imported:6.0f} ms imported, {ready:6.0f} ms ready   {' '.join(found[0][2])}")


if __name__ == "__main__":
    main()
