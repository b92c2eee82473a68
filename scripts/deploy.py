"""Deploys a stack and begins its log. Each step looks first and does only the part that is missing.

Their order matters: no schedule runs before genesis is public and the log's keys are known to be those that
the parameter file pins.
"""

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

ROOT = Path(__file__).resolve().parents[1]
REGION = "us-east-1"
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
OWN = ("CodeBucket", "Rounds")
"""Parameters of the template that the deployment sets, not its user."""
SPARE = 100
"""Executions that Lambda keeps for functions without a reserve (AWS Lambda quotas)."""

_STACK_WAIT_S = 3_600
_POLL_S = 5.0


class DeployError(Exception):
    """The deployment can't continue. Finished steps stay, and running it again continues from there."""


@dataclass(frozen=True)
class Plan:
    """The plan: the stack's name, its parameters, pinned keys, and the folder with zips and template."""

    stack: str
    parameters: dict[str, str]
    pins: dict[str, str]
    built: Path


def read_plan(path: Path, built: Path, changes: dict[str, str]) -> Plan:
    """The plan in a parameter file, some values replaced by `changes`. Raises `DeployError`."""
    try:
        members = json.loads(path.read_text(encoding="utf-8"))
        parameters = {**members["parameters"], **changes}
        stack, pins = members["stack"], members.get("pins", {})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DeployError(f"{path} is no parameter file: {error!r}") from error
    if wrong := [name for name in OWN if name in parameters]:
        raise DeployError(f"{path}: {', '.join(wrong)} is the deployment's own to set")
    if pins.keys() - {"registry", "issuer"}:
        raise DeployError(f"{path}: pins are of `registry` and `issuer`, found {', '.join(pins)}")
    return Plan(stack, parameters, pins, built)


@dataclass
class Deployment:
    """Carries out the steps of a plan in order. `endpoint`: a cloud other than Amazon's."""

    plan: Plan
    endpoint: str | None = None
    poll_s: float = _POLL_S
    say: Callable[[str], None] = print
    changed: list[str] = field(default_factory=list)

    def client(self, name: str) -> Any:
        style = {"addressing_style": "path"} if self.endpoint else {}
        config = Config(retries={"mode": "standard", "total_max_attempts": 5}, s3=style, read_timeout=900)
        return boto3.client(name, region_name=REGION, endpoint_url=self.endpoint, config=config)  # type: ignore[call-overload]

    @cached_property
    def account(self) -> str:
        return str(self.client("sts").get_caller_identity()["Account"])

    @property
    def bucket(self) -> str:
        return f"attestlayer-code-{self.account}-{REGION}"

    def run(self) -> dict[str, str]:
        """Run all steps. Returns the stack's outputs. Raises `DeployError`."""
        for number, (title, step) in enumerate(self.steps(), 1):
            self.say(f"{number}. {title}")
            step()
        self.say("nothing was changed" if not self.changed else f"changed: {', '.join(self.changed)}")
        return self.outputs()

    def steps(self) -> list[tuple[str, Callable[[], None]]]:
        """The steps by name, in the order in which they run."""
        stack = self.plan.stack
        return [
            ("Look: account, region, concurrency to reserve", self.look),
            (f"Bucket for code: attestlayer-code-ACCOUNT-{REGION}, closed and versioned", self.make_bucket),
            ("Upload zips and template, each under its own hash", self.upload),
            (
                f"Stack {stack}: create it, or update what differs; schedules as they are, at first off",
                self.stack,
            ),
            ("Genesis: first checkpoint and notices, by the function that may sign them", self.initialise),
            ("Keys: those of the log are those that the parameter file pins", self.check_pins),
            ("Publish policies and pages", self.publish),
            ("Schedules on, now that the log has begun", self.enable),
            ("A round: the newest checkpoint is public and new", self.check_round),
        ]

    def look(self) -> None:
        self.say(f"   account {self.account}, {REGION}")
        if self.plan.parameters.get("Reserve", "yes") == "yes":
            limits = self.client("lambda").get_account_settings()["AccountLimit"]
            needed = int(self.plan.parameters.get("IssueConcurrency", "50")) + 6
            free = limits.get("UnreservedConcurrentExecutions", 0) - SPARE
            if free < needed and self.stack_state() is None:
                raise DeployError(
                    f"{needed} executions are to be reserved and {free} are free: ask for a higher quota of "
                    "concurrent executions, or set Reserve to no"
                )

    def make_bucket(self) -> None:
        s3 = self.client("s3")
        try:
            s3.head_bucket(Bucket=self.bucket)
            return
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                raise
        s3.create_bucket(Bucket=self.bucket)
        closed = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        s3.put_public_access_block(
            Bucket=self.bucket, PublicAccessBlockConfiguration=dict.fromkeys(closed, True)
        )
        s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"})
        self.note("bucket")

    def upload(self) -> None:
        template = json.loads(self.template())
        functions = [r for r in template["Resources"].values() if r["Type"] == "AWS::Serverless::Function"]
        for key in sorted({function["Properties"]["CodeUri"]["Key"] for function in functions}):
            name = Path(key).name.rsplit("-", 1)[0]
            self.put(key, (self.plan.built / "functions" / f"{name}.zip").read_bytes())
        self.put(self.template_key(), self.template())

    def put(self, key: str, data: bytes) -> None:
        """Upload under a key with the content's hash, unless it exists: then it has this content."""
        s3 = self.client("s3")
        try:
            s3.head_object(Bucket=self.bucket, Key=key)
            return
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                raise
        s3.put_object(Bucket=self.bucket, Key=key, Body=data, ChecksumAlgorithm="SHA256")
        self.say(f"   {len(data):>10} bytes  {key}")
        self.note("code")

    def template(self) -> bytes:
        return (self.plan.built / "template.json").read_bytes()

    def template_key(self) -> str:
        return f"templates/{hashlib.sha256(self.template()).hexdigest()[:32]}.json"

    def stack(self) -> None:
        self.apply("DISABLED" if self.stack_state() is None else None)

    def enable(self) -> None:
        if self.parameter("Rounds") != "ENABLED":
            self.apply("ENABLED")

    def apply(self, rounds: str | None) -> None:
        """Bring the stack to template and parameters. `rounds`: the new value, None keeps the old."""
        cloudformation = self.client("cloudformation")
        existing = self.stack_state()
        if existing in ("REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE"):
            raise DeployError(f"stack {self.plan.stack} is in {existing}: it was never made; delete it first")
        host = self.endpoint or f"https://s3.{REGION}.amazonaws.com"
        values = {**self.plan.parameters, "CodeBucket": self.bucket}
        parameters = [{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()]
        if rounds is None:
            parameters.append({"ParameterKey": "Rounds", "UsePreviousValue": True})
        else:
            parameters.append({"ParameterKey": "Rounds", "ParameterValue": rounds})
        name = f"deploy-{int(time.time() * 1000)}"
        cloudformation.create_change_set(
            StackName=self.plan.stack,
            ChangeSetName=name,
            ChangeSetType="CREATE" if existing is None else "UPDATE",
            TemplateURL=f"{host}/{self.bucket}/{self.template_key()}",
            Parameters=parameters,
            Capabilities=CAPABILITIES,
        )
        change_set = self.wait_for_change_set(name)
        if change_set["Status"] == "FAILED":
            cloudformation.delete_change_set(StackName=self.plan.stack, ChangeSetName=name)
            reason = change_set.get("StatusReason", "")
            if "didn't contain changes" in reason or "No updates" in reason:
                return
            raise DeployError(f"stack {self.plan.stack}: {reason}")
        for change in change_set.get("Changes", []):
            what = change["ResourceChange"]
            self.say(f"   {what['Action']:8} {what['ResourceType']:40} {what['LogicalResourceId']}")
        cloudformation.execute_change_set(StackName=self.plan.stack, ChangeSetName=name)
        self.wait_for_stack()
        self.note("stack")

    def wait_for_change_set(self, name: str) -> dict[str, Any]:
        cloudformation = self.client("cloudformation")

        def look() -> dict[str, Any] | None:
            change_set = cloudformation.describe_change_set(StackName=self.plan.stack, ChangeSetName=name)
            return change_set if change_set["Status"] in ("CREATE_COMPLETE", "FAILED") else None

        return self.wait(look, f"change set {name}")

    def wait_for_stack(self) -> None:
        def look() -> dict[str, Any] | None:
            state = self.stack_state() or ""
            return None if state.endswith("IN_PROGRESS") else {"state": state}

        state = self.wait(look, f"stack {self.plan.stack}")["state"]
        if state not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            events = self.client("cloudformation").describe_stack_events(StackName=self.plan.stack)
            failed = [e for e in events["StackEvents"] if e["ResourceStatus"].endswith("FAILED")]
            reasons = "; ".join(f"{e['LogicalResourceId']}: {e.get('ResourceStatusReason')}" for e in failed)
            raise DeployError(f"stack {self.plan.stack} ended in {state}: {reasons}")

    def wait(self, look: Callable[[], dict[str, Any] | None], what: str) -> dict[str, Any]:
        until = time.monotonic() + _STACK_WAIT_S
        while time.monotonic() < until:
            if (result := look()) is not None:
                return result
            time.sleep(self.poll_s)
        raise DeployError(f"{what} was not done after {_STACK_WAIT_S} s")

    def described(self) -> dict[str, Any] | None:
        try:
            return self.client("cloudformation").describe_stacks(StackName=self.plan.stack)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise

    def stack_state(self) -> str | None:
        stack = self.described()
        return None if stack is None or stack["StackStatus"] == "DELETE_COMPLETE" else stack["StackStatus"]

    def parameter(self, name: str) -> str | None:
        stack = self.described() or {}
        values = {each["ParameterKey"]: each["ParameterValue"] for each in stack.get("Parameters", [])}
        return values.get(name)

    def outputs(self) -> dict[str, str]:
        stack = self.described() or {}
        return {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}

    def initialise(self) -> None:
        self.begun = self.invoke("initialise")
        self.say(f"   checkpoint {self.begun['sequence']}, identity {self.begun['identity']}")
        for role, kids in self.begun["keys"].items():
            self.say(f"   {role} key {', '.join(kids)}")

    def check_pins(self) -> None:
        for role, kid in self.plan.pins.items():
            if kid not in self.begun["keys"].get(role, []):
                raise DeployError(f"the {role} key is {self.begun['keys'].get(role)}, pinned is {kid}")
        if not self.plan.pins:
            self.say("   none is pinned yet: put `pins` into the parameter file, with the kids above")

    def publish(self) -> None:
        if changed := self.invoke("publish")["changed"]:
            self.say(f"   {changed} objects")
            self.note("pages")

    def check_round(self) -> None:
        outcome = self.invoke("sequence")
        self.say(f"   {outcome['outcome']}, checkpoint {outcome['sequence']}")
        if outcome["sequence"] is None:
            raise DeployError("the log has no public checkpoint; see infra/runbook/missed-minute.md")

    def invoke(self, function: str) -> dict[str, Any]:
        """Call a function of the stack and wait. Returns its answer. Raises `DeployError` if it fails."""
        answer = self.client("lambda").invoke(FunctionName=f"{self.plan.stack}-{function}", Payload=b"{}")
        payload = json.loads(answer["Payload"].read())
        if answer.get("FunctionError"):
            raise DeployError(f"{function}: {payload.get('errorMessage', payload)}")
        assert isinstance(payload, dict)
        return payload

    def note(self, what: str) -> None:
        if what not in self.changed:
            self.changed.append(what)


def main() -> int:
    parser = argparse.ArgumentParser(description="Deploy a stack and begin its log; again: change nothing.")
    parser.add_argument("parameters", type=Path, help="a file like infra/parameters/sandbox.json")
    parser.add_argument("--built", type=Path, default=ROOT / "dist", help="what scripts/build made (dist)")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="another value")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and call nobody")
    parser.add_argument("--endpoint", help="another cloud than Amazon's, such as that of scripts/cloud")
    arguments = parser.parse_args()
    try:
        changes = dict(each.split("=", 1) for each in arguments.set)
        plan = read_plan(arguments.parameters, arguments.built, changes)
        deployment = Deployment(plan, arguments.endpoint)
        if arguments.dry_run:
            tell(deployment)
            return 0
        for name, value in deployment.run().items():
            print(f"{name:20} {value}")
    except (DeployError, ClientError, BotoCoreError, OSError) as error:
        print(f"deploy: {error}", file=sys.stderr)
        return 1
    return 0


def tell(deployment: Deployment) -> None:
    """Print the steps that `run` would take, with parameters and pinned keys."""
    for number, (title, _) in enumerate(deployment.steps(), 1):
        print(f"{number}. {title}")
    print("with")
    for name, value in deployment.plan.parameters.items():
        print(f"   {name:20} {value}")
    for role, kid in deployment.plan.pins.items():
        print(f"   pinned {role:13} {kid}")


if __name__ == "__main__":
    sys.exit(main())
