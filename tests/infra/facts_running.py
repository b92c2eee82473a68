"""Facts of what runs: functions, schedules, logs, alarms, metrics."""

import json
import re
from collections.abc import Iterator

from template import Template

from infra.facts import HANDLERS, RUNBOOK, Resource, fact, of_type
from issuer.bootstrap.telemetry import Metric
from issuer.settings import CLOUD_NAMES


@fact
def every_schedule_has_a_rate_that_there_is(template: Template) -> list[str]:
    # EventBridge Scheduler: one minute is singular, more are plural.
    pattern = re.compile(r"rate\((1 (minute|hour|day)|([2-9]|[1-9][0-9]+) (minutes|hours|days))\)")
    return [
        f"{name}: {properties['ScheduleExpression']}"
        for name, properties in of_type(template, "AWS::Scheduler::Schedule")
        if not pattern.fullmatch(properties["ScheduleExpression"])
    ]


def functions(template: Template) -> Iterator[tuple[str, Resource]]:
    """The Lambda functions."""
    yield from of_type(template, "AWS::Serverless::Function")


@fact
def every_handler_is_a_function_and_every_function_a_handler(template: Template) -> list[str]:
    modules = {path.stem for path in HANDLERS.glob("*.py")} - {"__init__"}
    named, found = set(), []
    for name, properties in functions(template):
        match = re.fullmatch(r"issuer\.handlers\.([a-z_]+)\.handler", properties["Handler"])
        if match is None:
            found.append(f"{name}: {properties['Handler']}")
            continue
        named.add(match[1])
        if properties["Role"] != {"Fn::GetAtt": [f"{name}Role", "Arn"]}:
            found.append(f"{name}: has another's role")
        if properties.get("LoggingConfig") != {"LogGroup": {"Ref": f"{name}Log"}}:
            found.append(f"{name}: logs elsewhere")
    found += [f"{each} has no function" for each in sorted(modules - named)]
    return found + [f"{each} has no module" for each in sorted(named - modules)]


@fact
def every_function_is_told_all_that_the_settings_read(template: Template) -> list[str]:
    told = template["Globals"]["Function"]["Environment"]["Variables"]
    wanted = {*CLOUD_NAMES, "ATTESTLAYER_CADENCE_SECONDS", "ATTESTLAYER_VERIFY_PAGE"}
    wanted |= {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE"}
    found = [f"{name} is not told" for name in sorted(wanted - told.keys())]
    unknown = {name for name in told if name.startswith("ATTESTLAYER_")} - wanted
    return found + [f"{name} is read by nobody" for name in sorted(unknown)]


@fact
def every_log_group_has_an_end(template: Template) -> list[str]:
    return [
        f"{name}: kept for ever"
        for name, properties in of_type(template, "AWS::Logs::LogGroup")
        if not 1 <= properties.get("RetentionInDays", 0) <= 400
    ]


@fact
def every_alarm_has_its_page_and_every_page_its_alarm(template: Template) -> list[str]:
    pages = {path.stem for path in RUNBOOK.glob("*.md")}
    found, named = [], set()
    for name, properties in of_type(template, "AWS::CloudWatch::Alarm"):
        match = re.search(r" infra/runbook/([a-z0-9-]+)\.md$", properties["AlarmDescription"])
        page = match[1] if match else ""
        named.add(page)
        if page not in pages:
            found.append(f"{name}: names no page that is there")
        if properties["AlarmName"] != {"Fn::Sub": f"${{AWS::StackName}}-{page}"}:
            found.append(f"{name}: is called {properties['AlarmName']}")
        if properties.get("AlarmActions") != [{"Ref": "Alarms"}]:
            found.append(f"{name}: tells nobody")
    return found + [f"{page}: no alarm names it" for page in sorted(pages - named)]


@fact
def every_metric_is_one_that_the_code_gives(template: Template) -> list[str]:
    found, looked_at = [], set()
    for name, properties in of_type(template, "AWS::CloudWatch::Alarm"):
        if properties.get("Namespace") == "AttestLayer":
            looked_at.add(properties["MetricName"])
            if properties["Dimensions"] != [{"Name": "service", "Value": {"Ref": "AWS::StackName"}}]:
                found.append(f"{name}: Powertools gives its metrics the dimension service alone")
    board = next(of_type(template, "AWS::CloudWatch::Dashboard"))[1]["DashboardBody"]["Fn::Sub"]
    widgets = json.loads(re.sub(r"\$\{[^}]*\}", "x", board))["widgets"]  # noqa: TID251
    for widget in widgets:
        namespace = ""
        for line in widget["properties"]["metrics"]:
            namespace = namespace if line[0] == "." else line[0]
            if namespace == "AttestLayer":
                looked_at.add(line[1])
    emitted = {metric.value for metric in Metric}
    found += [f"{each}: nobody gives it" for each in sorted(looked_at - emitted)]
    return found + [f"{each}: nobody looks at it" for each in sorted(emitted - looked_at)]


@fact
def the_scheduled_functions_have_somebody_to_tell(template: Template) -> list[str]:
    dead, found = {"Fn::GetAtt": ["DeadLetters", "Arn"]}, []
    for name, properties in of_type(template, "AWS::Scheduler::Schedule"):
        target = properties["Target"]
        function = target["Arn"]["Fn::GetAtt"][0]
        called = template["Resources"][function]["Properties"]
        if (
            target.get("DeadLetterConfig") != {"Arn": dead}
            or called.get("DeadLetterQueue", {}).get("TargetArn") != dead
        ):
            found.append(f"{name}: what fails is lost")
        if properties["State"] != {"Ref": "Rounds"}:
            found.append(f"{name}: runs before the log has begun")
        if called.get("ReservedConcurrentExecutions") is None:
            found.append(f"{name}: {function} may be starved by others, or overlap")
    return found
