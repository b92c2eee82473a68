"""A purchasing agent releases one purchase order of an energy company, after a gate and a person said yes."""

from .papers import data, mail
from .pictures import screen
from .sample import Sample

_AGENT = "agent-procure-07"
_GRANT = "GRANT-2026-0032"
_ACTION = "ACT-2026-06-09-0147"
_ORDER = "PO-88213"

_MAIL = """Request RQ-5521 is fine by me: the agent may release PO-88213, GBP 18,400.00, to
Thornbury Switchgear Ltd for eight ring main units, delivery to the Harrow Lane
substation in week 29.

Quote TS-4471 is the lowest of three. Budget line 6120 has GBP 41,900.00 left.

Hannah Abiola
Head of Grid Maintenance, Lumenfield Energy
"""

_LOG = """2026-06-09T08:39:58Z procure-07 plan  ACT-2026-06-09-0147 tool=erp.release_purchase_order
2026-06-09T08:40:00Z procure-07 gate  rule=SPEND-LIMIT-25K decision=allow ref=GATE-90417
2026-06-09T08:40:01Z procure-07 wait  human approval requested from hannah.abiola
2026-06-09T09:26:44Z procure-07 human approval received ref=RQ-5521
2026-06-09T09:30:12Z procure-07 call  erp.release_purchase_order(order="PO-88213")
2026-06-09T09:30:13Z procure-07 done  status=released erp_document=4500088213
2026-06-09T09:30:14Z procure-07 note  confirmation sent to grid-maintenance@lumenfield.example.com
"""

SAMPLES = (
    Sample(
        "grant-GRANT-2026-0032.json",
        "authority-grant",
        data(
            {
                "grant_reference": _GRANT,
                "agent_id": _AGENT,
                "granted_by": "Ruth Castellan, Chief Procurement Officer",
                "scope": [
                    "erp.read_purchase_order",
                    "erp.release_purchase_order up to GBP 25,000.00 an order",
                    "mail.send to suppliers in the vendor file",
                ],
                "not_in_scope": [
                    "create or change vendors",
                    "change bank details",
                    "release above the limit",
                ],
                "conditions": [
                    "each release needs the yes of the budget holder",
                    "each release passes the spend gate",
                ],
                "valid_from": "2026-04-01T00:00:00Z",
                "valid_until": "2026-09-30T23:59:59Z",
                "signed": {"by": "Ruth Castellan", "on": "2026-03-27", "document": "board paper PR-114"},
            }
        ),
        {
            "grant_reference": _GRANT,
            "agent_id": _AGENT,
            "granted_by": "Ruth Castellan, Chief Procurement Officer",
            "valid_from": "2026-04-01T00:00:00Z",
            "valid_until": "2026-09-30T23:59:59Z",
            "as_of": "today-14",
        },
    ),
    Sample(
        "agent-identity.json",
        "agent-identity",
        data(
            {
                "agent_id": _AGENT,
                "operator": "Lumenfield Energy, Digital Operations",
                "version": "procure 3.4.1",
                "model": "hosted language model, pinned release of May 2026",
                "instructions_sha256": "3f0c9b7e4d21a86555b0c7be1f9d2a7740e6c8d913b25f60a4e7719cd8830b5e",
                "tools": ["erp.read_purchase_order", "erp.release_purchase_order", "mail.send"],
                "owner": "Ruth Castellan",
            }
        ),
        {"agent_id": _AGENT, "operator": "Lumenfield Energy, Digital Operations", "version": "procure 3.4.1"},
    ),
    Sample(
        "action-ACT-2026-06-09-0147.json",
        "action-record",
        data(
            {
                "action_reference": _ACTION,
                "agent_id": _AGENT,
                "grant_reference": _GRANT,
                "performed_at": "2026-06-09T09:30:12Z",
                "tool": "erp.release_purchase_order",
                "target": f"erp.lumenfield.example.com, purchase order {_ORDER}",
                "parameters": {
                    "order": _ORDER,
                    "supplier": "Thornbury Switchgear Ltd",
                    "amount": "18400.00",
                    "currency": "GBP",
                    "request": "RQ-5521",
                },
                "result": {
                    "status": "released",
                    "erp_document": "4500088213",
                    "answered_at": "2026-06-09T09:30:13Z",
                },
            }
        ),
        {
            "action_reference": _ACTION,
            "agent_id": _AGENT,
            "grant_reference": _GRANT,
            "performed_at": "2026-06-09T09:30:12Z",
        },
    ),
    Sample(
        "spend-gate-decision.json",
        "approval-signal",
        data(
            {
                "reference": "GATE-90417",
                "rule": "SPEND-LIMIT-25K",
                "decision": "allow",
                "action_reference": _ACTION,
                "amount": "18400.00",
                "limit": "25000.00",
                "currency": "GBP",
                "decided_at": "2026-06-09T08:40:00Z",
            }
        ),
        {
            "action_reference": _ACTION,
            "signal": "system",
            "approver": "Spend gate, rule SPEND-LIMIT-25K",
            "signal_reference": "GATE-90417",
            "approved_at": "2026-06-09T08:40:00Z",
        },
    ),
    Sample(
        "approval-abiola.eml",
        "approval-signal",
        mail(
            "Hannah Abiola <hannah.abiola@lumenfield.example.com>",
            "procurement-agents@lumenfield.example.com",
            "Re: RQ-5521: release of PO-88213 [ACT-2026-06-09-0147]",
            "Tue, 09 Jun 2026 09:26:31 +0000",
            _MAIL,
        ),
        {
            "action_reference": _ACTION,
            "signal": "human",
            "approver": "Hannah Abiola",
            "signal_reference": "RQ-5521",
            "approved_at": "2026-06-09T09:26:31Z",
        },
    ),
    Sample(
        "runtime-log.txt", "execution-log", _LOG.encode(), {"system": "Agent runtime of Lumenfield Energy"}
    ),
    Sample(
        "purchase-order-released.png",
        "result-evidence",
        screen(
            "Purchase order 4500088213",
            [
                ("Order", _ORDER),
                ("Supplier", "Thornbury Switchgear Ltd"),
                ("Item", "8 ring main units, 12 kV"),
                ("Amount", "GBP 18,400.00"),
                ("Status", "Released"),
                ("Released by", "agent-procure-07 under GRANT-2026-0032"),
                ("Released at", "2026-06-09 09:30:13 UTC"),
            ],
            "#0b6e4f",
            "ERP of Lumenfield Energy, view of the document history.",
        ),
        {"action_reference": _ACTION},
    ),
)
