"""The cost page: counted requests, priced by infra/prices.json."""

import json
from pathlib import Path

from counting import Measured
from template import load_template

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = load_template()
PRICES = json.loads((ROOT / "infra/prices.json").read_text(encoding="utf-8"))
MONTH_MINUTES = 43_200
WHOLE_CPU_MB = 1769
"""Memory at which a function has one whole CPU."""
GOALS = {"idle": 5.0, "wrapped": 20.0, "kms": 36.0}
INTRODUCTION = """\
Made by `scripts/cost`, not by hand: the real code runs on a local cloud, a proxy counts what it asks of S3,
DynamoDB and KMS, and `infra/prices.json` prices it: list prices of us-east-1, no free tier. Counts are exact.
A function's time is not measured on Lambda: it is CPU here times {cpu:g}, by the share of a CPU that its
memory gives, and the time in which answers are waited for, with answers as late as S3's ({s3:g} ms),
DynamoDB's ({dynamodb:g} ms) and KMS's ({kms:g} ms) are taken to be."""
OUT_OF_REACH = """\
The goals leave nothing for kits: the two objects of the leaf and the two of its kit are {objects:.0f}
dollars. What would cost less would promise less. A kit that is not stored whole before the debit can be paid
for and lost; one that is put together anew for each download can't be fetched from S3 by a link; a ledger
without transactions can debit twice."""
LOGGED = "its two objects in the registry, its share of tiles"
CHARGED = {
    "s3_put": "objects stored: leaf, registry receipt, sealed kit, delivered kit",
    "s3_get": "objects read, each record once",
    "dynamodb_write_unit": "ledger, written",
    "dynamodb_read_unit": "ledger, read",
}
COUNTED = ("s3_put", "s3_get", "dynamodb_write_unit", "dynamodb_read_unit", "kms_sign", "http_api")


def requests_price(part: Measured) -> float:
    """Dollars for the counted requests, without Lambda's time."""
    return sum(part.counts.get(name, 0.0) * price / 1e6 for name, price in PRICES["per_million"].items())


def lambda_price(part: Measured, function: str) -> float:
    """Dollars for a function's time: waiting for answers, and CPU, which its memory gives it a share of."""
    memory = TEMPLATE["Resources"][function]["Properties"]["MemorySize"]
    share = min(1.0, memory / WHOLE_CPU_MB)
    milliseconds = part.waited_ms + part.cpu_ms * PRICES["assumed"]["cpu_factor"] / share
    return milliseconds / 1000 * memory / 1024 * PRICES["lambda_gb_second_arm"]


def runs(function: str) -> float:
    """Times a month that a function's schedule starts it."""
    schedules = [each["Properties"] for each in TEMPLATE["Resources"].values() if "Schedule" in each["Type"]]
    (schedule,) = [each for each in schedules if function in json.dumps(each["Target"]["Arn"])]
    number, unit = schedule["ScheduleExpression"].removeprefix("rate(").rstrip(")").split()
    minutes = {"minute": 1, "hour": 60, "day": 1440}[unit.rstrip("s")]
    return MONTH_MINUTES / (int(number) * minutes)


def idle_month(parts: dict[str, Measured]) -> dict[str, float]:
    """Dollars a month for a log without leaves, line by line."""
    per_call = (PRICES["per_million"]["lambda_request"] + PRICES["per_million"]["scheduler"]) / 1e6
    prices = {}
    for name, function in (
        ("round", "Sequence"),
        ("deliver", "Deliver"),
        ("index", "Index"),
        ("release", "Release"),
    ):
        part = parts[name]
        prices[name] = runs(function) * (requests_price(part) + lambda_price(part, function) + per_call)
    prices["two signing keys"] = 2 * PRICES["per_month"]["kms_key"]
    return prices


def leaf_price(parts: dict[str, Measured]) -> dict[str, float]:
    """Dollars for one leaf, line by line, without the minute that it shares."""
    calls = parts["calls"]
    uploads = parts["intake"].counts.get("s3_put", 0.0) * PRICES["per_million"]["s3_put"] / 1e6
    intake, looks = parts["intake"], parts["looks"]
    counts = {name: value + looks.counts.get(name, 0.0) for name, value in intake.counts.items()}
    api = Measured(counts, intake.cpu_ms + looks.cpu_ms, intake.waited_ms + looks.waited_ms)
    return {
        "records: uploads": uploads,
        "records: calls": requests_price(api) - uploads + requests_price(calls) + lambda_price(api, "Issue"),
        "issue": requests_price(parts["issuing"]) + lambda_price(parts["issuing"], "Issue"),
        LOGGED: requests_price(parts["leaf in a round"]) + lambda_price(parts["leaf in a round"], "Sequence"),
        "delivery": requests_price(parts["delivery"]) + lambda_price(parts["delivery"], "Deliver"),
    }


def by_kind(parts: dict[str, Measured]) -> dict[str, float]:
    """Dollars for one leaf without receiving records, by kind of charge."""
    core = {"issuing": "Issue", "leaf in a round": "Sequence", "delivery": "Deliver"}
    prices = {
        title: sum(parts[part].counts.get(name, 0.0) for part in core) * PRICES["per_million"][name] / 1e6
        for name, title in CHARGED.items()
    }
    return prices | {"Lambda's time": sum(lambda_price(parts[part], core[part]) for part in core)}


def watching_month(own_metrics: int) -> dict[str, float]:
    """Dollars a month for alarms, metrics, dashboard and the rate rule."""
    resources = TEMPLATE["Resources"].values()
    alarms = [each["Properties"] for each in resources if each["Type"] == "AWS::CloudWatch::Alarm"]
    metrics = sum(max(1, len(each.get("Metrics", [])) - 1) for each in alarms)
    month = PRICES["per_month"]
    return {
        f"{len(alarms)} alarms on {metrics} metrics": metrics * month["alarm_metric"],
        f"{own_metrics} metrics of our own": own_metrics * month["custom_metric"],
        "dashboard": month["dashboard"],
        "web ACL with one rule (parameter Firewall)": month["web_acl"] + month["web_acl_rule"],
    }


def page(measured: dict[str, dict[str, Measured]], own_metrics: int, sample: str) -> str:
    """The cost page. `measured`: by way to sign, then by part."""
    parts = measured["wrapped"]
    idle, leaf = idle_month(parts), leaf_price(parts)
    core, kms_core = _without_records(leaf), _without_records(leaf_price(measured["kms"]))
    total = sum(idle.values())
    more = parts["more, if it has leaves"]
    busier = requests_price(more) + lambda_price(more, "Sequence")
    records, calls = parts["intake"].counts["s3_put"], parts["calls"].counts["http_api"]
    lines = [
        "# What it costs",
        "",
        INTRODUCTION.format(cpu=PRICES["assumed"]["cpu_factor"], **PRICES["assumed"]["latency_ms"]),
        "",
        "## A log that takes nothing, a month",
        "",
        *_table("each minute", idle),
        "",
        f"Goal: under {GOALS['idle']:.0f} dollars. {_met(total, GOALS['idle'])}",
        "",
        "Watching it costs extra, and is the same for every volume:",
        "",
        *_table("watching", watching_month(own_metrics)),
        "",
        "## A million leaves",
        "",
        f"A packet of the sample set {sample}, {records:.0f} records and {calls:.0f} calls of the API.",
        "",
        *_table("a million leaves", {name: value * 1e6 for name, value in leaf.items()}),
        "",
        *_against_the_goals(parts, measured["kms"]),
        "With the minute's own cost spread over the leaves:",
        "",
        "| leaves a minute | dollars a million, wrapped seed | KMS | with receiving records |",
        "|---|---|---|---|",
    ]
    for rate in (1, 60, 1_000):
        shared = total / (rate * MONTH_MINUTES) + busier / rate
        values = (core + shared, kms_core + shared, sum(leaf.values()) + shared)
        lines.append(f"| {rate:,} | " + " | ".join(f"{value * 1e6:.2f}" for value in values) + " |")
    return "\n".join([*lines, "", *_counted(measured), ""])


def _against_the_goals(parts: dict[str, Measured], signed_by_kms: dict[str, Measured]) -> list[str]:
    """A leaf without receiving its records: in the log alone, and with its kit."""
    whole, by_kms = (_without_records(leaf_price(each)) for each in (parts, signed_by_kms))
    logged = leaf_price(parts)[LOGGED]
    waits = Measured({}, 0.0, PRICES["assumed"]["latency_ms"]["kms"])
    signature = PRICES["per_million"]["kms_sign"] / 1e6 + lambda_price(waits, "Issue")
    rows = {
        f"in the log: {LOGGED}, its receipt's signature": (logged, logged + signature),
        "with its kit: evaluated, sealed, paid for, delivered": (whole, by_kms),
    }
    goals = (GOALS["wrapped"], GOALS["kms"])
    return [
        "Receiving records grows with the records of a packet, and is no part of the goals. Without it:",
        "",
        "| a million leaves, receipts signed by | a wrapped seed | KMS |",
        "|---|---|---|",
        *(f"| {name} | {one * 1e6:.2f} | {other * 1e6:.2f} |" for name, (one, other) in rows.items()),
        f"| goal | {goals[0]:.0f} | {goals[1]:.0f} |",
        *(
            f"| {name.partition(':')[0]} | "
            + " | ".join(_met(value * 1e6, goal) for value, goal in zip(values, goals, strict=True))
            + " |"
            for name, values in rows.items()
        ),
        "",
        "By what is charged, with the kit, signed by a wrapped seed:",
        "",
        *_table("a million leaves", {name: value * 1e6 for name, value in by_kind(parts).items()}),
        "",
        OUT_OF_REACH.format(objects=by_kind(parts)[CHARGED["s3_put"]] * 1e6),
        "",
    ]


def _without_records(leaf: dict[str, float]) -> float:
    return sum(leaf.values()) - leaf["records: uploads"] - leaf["records: calls"]


def _counted(measured: dict[str, dict[str, Measured]]) -> list[str]:
    lines = ["## Counted", "", "| part | " + " | ".join(COUNTED) + " | CPU ms | waited ms |"]
    lines.append("|---|" + "---|" * (len(COUNTED) + 2))
    parts = {**measured["wrapped"], "issuing, signed by KMS": measured["kms"]["issuing"]}
    for name, part in parts.items():
        counts = [f"{part.counts.get(each, 0.0):g}" for each in COUNTED]
        lines.append(f"| {name} | " + " | ".join(counts) + f" | {part.cpu_ms:.0f} | {part.waited_ms:.0f} |")
    return lines


def _table(title: str, rows: dict[str, float]) -> list[str]:
    lines = [f"| {title} | dollars |", "|---|---|"]
    lines += [f"| {name} | {value:.2f} |" for name, value in rows.items()]
    return [*lines, f"| **together** | **{sum(rows.values()):.2f}** |"]


def _met(value: float, goal: float) -> str:
    return "Met." if value <= goal else f"Not met: {value:.2f}."
