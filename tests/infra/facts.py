"""What has to hold of the template and linters do not see: the list of facts, and ways to look at it.

A fact takes the packaged template and gives its findings: none, if it holds.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from template import Template

ROOT = Path(__file__).parents[2]
RUNBOOK = ROOT / "infra/runbook"
HANDLERS = ROOT / "functions/issuer/handlers"

Fact = Callable[[Template], list[str]]
FACTS: dict[str, Fact] = {}

Resource = dict[str, Any]


def fact(check: Fact) -> Fact:
    """Register a fact under its name."""
    FACTS[check.__name__] = check
    return check


def of_type(template: Template, *types: str) -> Iterator[tuple[str, Resource]]:
    """Logical ids and properties of the resources of these types."""
    for name, resource in template["Resources"].items():
        if resource["Type"] in types:
            yield name, resource["Properties"]


def listed(value: Any) -> list[Any]:
    """A member that may be one or many."""
    return value if isinstance(value, list) else [value]


def statements(template: Template) -> Iterator[tuple[str, Resource]]:
    """Every policy statement, with where it stands."""
    for name, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        documents = [each["PolicyDocument"] for each in properties.get("Policies", [])]
        documents += [properties[key] for key in ("PolicyDocument", "KeyPolicy") if key in properties]
        for document in documents:
            for statement in document["Statement"]:
                yield f"{name}/{statement['Sid']}", statement


def grants(template: Template) -> dict[str, set[str]]:
    """The actions of each role: its own policy's, and those that the keys' policies give it."""
    found: dict[str, set[str]] = {}
    for where, statement in statements(template):
        if statement["Effect"] != "Allow":
            continue
        owner = where.partition("/")[0]
        principals = listed(statement.get("Principal", {}).get("AWS", []))
        roles = [each["Fn::GetAtt"][0] for each in principals if "Fn::GetAtt" in each] or [owner]
        for role in roles:
            found.setdefault(role, set()).update(listed(statement["Action"]))
    return found
