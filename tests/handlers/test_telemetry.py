"""What a function logs and measures in Lambda, each in its own process: metrics by name, no content."""

import os
import subprocess
import sys

import pydantic_core

from bench.imports import IN_LAMBDA, ROOT

_PROGRAM = """
from issuer.local.wsgi import LambdaContext
from issuer.bootstrap.telemetry import Metric, Telemetry
telemetry = Telemetry()
{act}
"""

_COUNTS = """
@telemetry.around
def handler(event, context):
    telemetry.measure(Metric.ROUNDS_PUBLISHED, 1)
    telemetry.measure(Metric.OLDEST_WAITING_LEAF, 61)
    telemetry.log_error("it is late", leaf="abc")
    return {"secret": "answer"}
print(handler({"secret": "event"}, LambdaContext("req-1"))["secret"])
"""

_FAILS = """
@telemetry.around
def handler(event, context):
    telemetry.measure(Metric.LOG_HALTED, 1)
    raise RuntimeError("halted")
try:
    handler({}, LambdaContext("req-1"))
except RuntimeError as error:
    print(error)
"""


def run(act: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(act=act)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "functions"), **environment},  # noqa: TID251
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_metrics_have_their_names_units_and_namespace() -> None:
    said = run(_COUNTS, **IN_LAMBDA)
    emitted = next(line for line in said.splitlines() if "_aws" in line)
    found = pydantic_core.from_json(emitted)
    (metrics,) = found["_aws"]["CloudWatchMetrics"]
    assert metrics["Namespace"] == "AttestLayer"
    assert {each["Name"]: each["Unit"] for each in metrics["Metrics"]} == {
        "RoundsPublished": "Count",
        "OldestWaitingLeafSeconds": "Seconds",
    }
    assert (found["RoundsPublished"], found["OldestWaitingLeafSeconds"]) == ([1.0], [61.0])
    assert found["service"] == "bench"


def test_a_logged_error_has_the_request_and_no_event() -> None:
    said = run(_COUNTS, **IN_LAMBDA)
    line = next(line for line in said.splitlines() if "it is late" in line)
    entry = pydantic_core.from_json(line)
    assert (entry["function_request_id"], entry["leaf"], entry["level"]) == ("req-1", "abc", "ERROR")
    assert "secret" not in line


def test_a_function_that_fails_emits_its_metrics_and_fails() -> None:
    said = run(_FAILS, **IN_LAMBDA)
    assert "LogHalted" in said
    assert said.splitlines()[-1] == "halted"


def test_elsewhere_nothing_is_logged_or_measured() -> None:
    assert run(_COUNTS) == "answer\n"
