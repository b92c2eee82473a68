"""Drafts of lane AGENT-01: an AI agent, its authority, action and approval."""

from .drafting import (
    DOCUMENT,
    FILLED,
    LETTER,
    TIME,
    Draft,
    Record,
    choice,
    json_object,
    names_the,
    reference,
    relation,
    text,
    time,
)

TOOL_ACTION = Draft(
    "AGENT-01",
    "Action of an AI agent",
    "tool-action",
    "One tool action of an AI agent",
    "What an agent was allowed to do and by whom, which agent it was, the one action it took with target "
    "and result, "
    "and the approval signal that let it go ahead.",
    [
        Record(
            "authority-grant",
            "Grant of authority to the agent",
            "Who gave the agent its authority, for which tools and targets, within which limits, from when "
            "until when.",
            "Ask the owner of the agent for the signed grant or the exported policy that was in force at "
            "the action.",
            [
                reference("grant_reference", "Reference of the grant", json="/grant_reference"),
                reference("agent_id", "The agent that it is given to", json="/agent_id"),
                text("granted_by", "Who gave it", json="/granted_by"),
                time("valid_from", "From when", json="/valid_from"),
                time("valid_until", "Until when", json="/valid_until"),
            ],
            types=DOCUMENT + " JSON",
            count=(1, 3),
            max_age=400,
            schema=json_object(
                "grant_reference agent_id granted_by scope valid_from valid_until",
                {
                    "grant_reference": FILLED,
                    "agent_id": FILLED,
                    "granted_by": FILLED,
                    "scope": {"type": "array", "minItems": 1, "items": FILLED},
                    "valid_from": TIME,
                    "valid_until": TIME,
                },
            ),
        ),
        Record(
            "agent-identity",
            "Identity of the agent",
            "Which agent acted: its id, operator, model and version, configuration or prompt hash. No keys "
            "or secrets.",
            "Export the agent's entry from the register of agents or the deployment's description.",
            [
                reference("agent_id", "The agent", json="/agent_id"),
                text("operator", "Who runs it", json="/operator"),
                text("version", "Version that acted", json="/version"),
            ],
            types=DOCUMENT + " JSON TXT",
            schema=json_object(
                "agent_id operator version",
                {"agent_id": FILLED, "operator": FILLED, "version": FILLED},
            ),
        ),
        Record(
            "action-record",
            "Record of the action",
            "What the agent did: tool, target, parameters, when, and the result as the target system "
            "returned it.",
            "Export the action from the agent's audit log as JSON, with tool, target, time and result.",
            [
                reference("action_reference", "Reference of the action", json="/action_reference"),
                reference("agent_id", "The agent that acted", json="/agent_id"),
                reference("grant_reference", "The grant it acted under", json="/grant_reference"),
                time("performed_at", "When it acted", json="/performed_at"),
            ],
            types="JSON PDF",
            schema=json_object(
                "action_reference agent_id grant_reference performed_at tool target result",
                {
                    "action_reference": FILLED,
                    "agent_id": FILLED,
                    "grant_reference": FILLED,
                    "performed_at": TIME,
                    "tool": FILLED,
                    "target": FILLED,
                    "result": json_object("status", {"status": FILLED}),
                },
            ),
        ),
        Record(
            "approval-signal",
            "Approval signal",
            "The human or system signal that let the action go ahead, with its own reference.",
            "Ask the approver for the mail or screen of the approval, or export the gate's decision.",
            [
                reference("action_reference", "Reference of the action that it is for"),
                choice("signal", "Who gave it", "human system"),
                text("approver", "The person, or the system and rule"),
                reference("signal_reference", "Reference of the signal"),
                time("approved_at", "When it was given"),
            ],
            types=LETTER + " JSON",
            count=(1, 10),
        ),
        Record(
            "execution-log",
            "Execution log",
            "Log lines around the action, from the agent's runtime or the target system.",
            "Keep the part of the log around the action and remove the rest.",
            [text("system", "The system that wrote it")],
            types="TXT CSV JSON ZIP",
            count=(0, 20),
            megabytes=50,
        ),
        Record(
            "result-evidence",
            "Evidence of the result",
            "What the target shows after the action: screen, confirmation, exported state.",
            "Keep the pictures and files that show this action's result.",
            [reference("action_reference", "Reference of the action")],
            types="PDF PNG JPEG CSV JSON TXT EML",
            count=(0, 20),
        ),
        Record(
            "incident-note",
            "Incident or rollback note",
            "What went wrong or was rolled back, and what was done.",
            "Put surplus notes into one document.",
            [reference("action_reference", "Reference of the action")],
            types=LETTER,
            count=(0, 10),
        ),
    ],
    [
        names_the("approval-signal", "action_reference", "action-record.action_reference", "action"),
        names_the("result-evidence", "action_reference", "action-record.action_reference", "action"),
        names_the("incident-note", "action_reference", "action-record.action_reference", "action"),
        names_the("action-record", "grant_reference", "authority-grant.grant_reference", "grant"),
        relation(
            "same-value",
            "grant-names-agent",
            (
                "The agent that acted is the agent that the grant names.",
                "Submit the grant given to this agent, or correct the agent's id.",
            ),
            each="action-record.agent_id",
            matches="authority-grant.agent_id",
        ),
        relation(
            "same-value",
            "identity-names-agent",
            (
                "The agent that acted is the agent whose identity is described.",
                "Submit the identity of the agent that acted, or correct the agent's id.",
            ),
            each="action-record.agent_id",
            matches="agent-identity.agent_id",
        ),
        relation(
            "window-covers",
            "grant-covers-action",
            (
                "The agent acted while its grant was in force.",
                "Submit the grant that was in force at the time of the action, or correct the times.",
            ),
            each="action-record.performed_at",
            from_="authority-grant.valid_from",
            until="authority-grant.valid_until",
        ),
        relation(
            "different-value",
            "agent-is-not-its-own-approver",
            (
                "The agent does not count as its own approver.",
                "Submit the signal of a person or of a system other than the agent itself.",
            ),
            each="approval-signal.approver",
            matches="action-record.agent_id",
        ),
        relation(
            "not-before",
            "action-after-approval",
            (
                "The action came after its approval.",
                "Check the times and their offsets from UTC; say in an incident note why it came later.",
            ),
            severity="note",
            each="action-record.performed_at",
            than="approval-signal.approved_at",
        ),
    ],
)
