"""A small IAM: what the template's policies say of a request. A second reading beside the local cloud's own.

One account. What the template does not use is refused, not guessed: principals, operators, condition keys.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from template import Template

from infra.facts import Resource, listed, of_type

ABSENT_KEYS = frozenset({"s3:if-none-match", "s3:if-match", "aws:SourceArn", "aws:MultiFactorAuthPresent"})
"""Condition keys that a request may lack; another that is asked for and not there is an error."""


@dataclass(frozen=True)
class Call:
    """One authorized thing of a request: action, ARN, condition keys."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict, hash=False, compare=True)


@dataclass(frozen=True)
class Grant:
    """One action on one resource, as in the template, that a policy allows a role; the statement's name."""

    role: str
    sid: str
    action: str
    resource: str


def text_of(value: Any) -> str:
    """The text of a value with `Ref`, `Fn::GetAtt` or `Fn::Sub`; names in brackets: `<Registry.Arn>`."""
    if isinstance(value, str):
        return value
    ((function, of),) = value.items()
    if function == "Ref":
        return f"<{of}>"
    if function == "Fn::GetAtt":
        return f"<{'.'.join(of)}>"
    if function == "Fn::Sub" and isinstance(of, str):
        return re.sub(r"\$\{([^}]+)\}", r"<\1>", of)
    raise ValueError(f"no text: {value}")


def matches(pattern: str, text: str) -> bool:
    """`*` is any text, `?` any character."""
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text) is not None


class Policies:
    """The template's policies, with the names of one deployment: ARNs by `Resource.Attribute`."""

    def __init__(self, template: Template, names: Mapping[str, str]) -> None:
        self._names = names
        self._roles: dict[str, list[Resource]] = {
            name: [each for policy in role["Policies"] for each in policy["PolicyDocument"]["Statement"]]
            for name, role in of_type(template, "AWS::IAM::Role")
        }
        self._of_resources: dict[str, list[Resource]] = {}
        for _, policy in of_type(template, "AWS::S3::BucketPolicy"):
            bucket = f"<{policy['Bucket']['Ref']}.Arn>"
            self._of_resources[bucket] = policy["PolicyDocument"]["Statement"]
        for name, key in of_type(template, "AWS::KMS::Key"):
            own = key["KeyPolicy"]["Statement"]
            self._of_resources[f"<{name}.Arn>"] = [each | {"Resource": f"<{name}.Arn>"} for each in own]

    def refusal(self, role: str, call: Call) -> str | None:
        """Why the role may not, or None. An explicit Deny wins; what is of a key, its own policy gives."""
        owner = call.resource if call.action.startswith("kms:") else call.resource.partition("/")[0]
        of_resource = [
            each
            for name, statements in self._of_resources.items()
            for each in statements
            if self._filled(name) == owner and _is_principal(each, role)
        ]
        matching = [each for each in [*self._roles[role], *of_resource] if self._applies(each, call)]
        for each in matching:
            if each["Effect"] == "Deny":
                return f"{each['Sid']} denies {role} {call.action} on {call.resource}"
        if any(each["Effect"] == "Allow" for each in matching):
            return None
        return f"nothing allows {role} {call.action} on {call.resource}"

    def grants(self, role: str) -> Iterator[Grant]:
        """All that the role's own policy and the keys' policies allow it."""
        for statement in self._roles[role]:
            yield from self._grants(role, statement)
        for statement in (each for statements in self._of_resources.values() for each in statements):
            if statement["Effect"] == "Allow" and _is_principal(statement, role):
                yield from self._grants(role, statement)

    def covers(self, grant: Grant, call: Call) -> bool:
        """Whether a call needs the grant."""
        return call.action == grant.action and matches(self._filled(grant.resource), call.resource)

    def _grants(self, role: str, statement: Resource) -> Iterator[Grant]:
        if statement["Effect"] == "Allow":
            for action in listed(statement["Action"]):
                for resource in listed(statement["Resource"]):
                    yield Grant(role, statement["Sid"], action, text_of(resource))

    def _filled(self, text: str) -> str:
        """A name that this deployment has not stands for itself."""
        return re.sub(r"<([^>]+)>", lambda match: self._names.get(match[1], match[0]), text)

    def _applies(self, statement: Resource, call: Call) -> bool:
        if not any(matches(each.lower(), call.action.lower()) for each in listed(statement["Action"])):
            return False
        named = "Resource" in statement
        resources = listed(statement["Resource" if named else "NotResource"])
        if any(matches(self._filled(text_of(each)), call.resource) for each in resources) != named:
            return False
        return all(
            _holds(operator, call.context.get(key), key, listed(values))
            for operator, tests in statement.get("Condition", {}).items()
            for key, values in tests.items()
        )


def _is_principal(statement: Resource, role: str) -> bool:
    principal = statement["Principal"]
    if principal == "*" or principal.keys() == {"Service"}:
        return bool(principal == "*")
    if principal.keys() != {"AWS"}:
        raise ValueError(f"a principal that is not known here: {principal}")
    return f"<{role}.Arn>" in [text_of(each) for each in listed(principal["AWS"])]


def _holds(operator: str, found: str | None, key: str, wanted: list[str]) -> bool:
    if found is None and key not in ABSENT_KEYS:
        raise ValueError(f"the request says nothing of {key}")
    if operator == "Null":
        return str(found is None).lower() in wanted
    if operator in ("Bool", "StringEquals"):
        return found is not None and found in wanted
    raise ValueError(f"an operator that is not known here: {operator}")
