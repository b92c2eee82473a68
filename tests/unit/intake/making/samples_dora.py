"""A payment institution's records of ICT providers and resilience for the first half of 2026."""

from .papers import Letterhead, Section, Signature, document, pdf, table, workbook
from .sample import Sample

_HEAD = Letterhead(
    "Lindqvist Betalning AB",
    "Resilience Office, Kajgatan 11, Malmö  |  resilience@lindqvist.example.com",
    "#14506b",
)
_ENTITY = "549300LQBETALNING017"

_STATEMENT = pdf(
    _HEAD,
    "Entity and period of these records",
    [
        Section(
            "",
            (),
            (
                ("Entity", f"Lindqvist Betalning AB, LEI {_ENTITY}"),
                ("Period", "1 January 2026 to 30 June 2026"),
                ("Functions in scope", "Card acquiring, account payments, merchant portal"),
                ("Critical or important", "Card acquiring; account payments"),
                ("Answers for the records", "Birgitta Sandell, member of the management body"),
                ("Put together by", "Resilience Office, Tariq Mansoor"),
            ),
        ),
    ],
    (Signature("Birgitta Sandell", "Member of the management body", "14 July 2026"),),
)

_TEST = pdf(
    _HEAD,
    "Failover test of card acquiring, 21 March 2026",
    [
        Section(
            "Scenario",
            (
                (
                    "Loss of the first data centre of Norrsken Datacenter AB at full morning load. All "
                    "traffic of card acquiring goes to the "
                    "second one, and back after four hours."
                ),
            ),
        ),
        Section(
            "Course",
            (),
            (
                ("Time (UTC)", "What", "Result"),
                ("05:00", "Links of the first site cut", "as planned"),
                ("05:07", "All traffic on the second site", "aim was 15 minutes"),
                ("05:07 to 09:05", "Normal business", "no lost authorisation"),
                ("09:05", "Back to the first site", "4 minutes"),
            ),
        ),
        Section(
            "Findings",
            (
                (
                    "F-1: the alarm of the merchant portal named the wrong site. Owner: Portal team, "
                    "closed 2 April 2026. "
                    "F-2: the on-call list held a former employee. Owner: Resilience Office, closed 23 "
                    "March 2026."
                ),
            ),
        ),
    ],
    (Signature("Tariq Mansoor", "Test lead", "27 March 2026"),),
)

_EXIT = document(
    _HEAD,
    "Exit plan: Norrsken Datacenter AB",
    [
        Section(
            "Triggers",
            (
                (
                    "Insolvency, loss of a site for more than 48 hours, three missed service levels in a "
                    "quarter, change of ownership to which "
                    "we object."
                ),
            ),
        ),
        Section(
            "Steps",
            (),
            (
                ("Week", "Step", "Owner"),
                ("0", "Decision of the management body, notice to the provider", "Birgitta Sandell"),
                (
                    "1 to 4",
                    "Capacity at Fjordhall Hosting AS under framework contract FH-22",
                    "Platform team",
                ),
                ("5 to 10", "Data copied and compared, parallel running", "Platform team"),
                ("11", "Switch of card acquiring on a Sunday", "Acquiring"),
                ("12 to 16", "Deletion at the old provider, with its written statement", "Resilience Office"),
            ),
        ),
        Section(
            "What it needs",
            (
                (
                    "Six people for sixteen weeks and about SEK 9 million. The contract gives twelve "
                    "months of "
                    "help after notice."
                ),
            ),
        ),
    ],
)

_CONTINUITY = pdf(
    _HEAD,
    "ICT continuity and recovery plan, edition 9",
    [
        Section(
            "",
            (),
            (
                ("Function", "Recovery time", "Data loss at most", "How"),
                ("Card acquiring", "15 min", "none", "second site, hot"),
                ("Account payments", "2 h", "5 min", "second site, warm"),
                ("Merchant portal", "8 h", "1 h", "rebuilt from backup"),
            ),
        ),
        Section(
            "Backups",
            (
                (
                    "Every 5 minutes to the second site, every night to storage that can't be overwritten "
                    "for 35 days. Restored to an empty system "
                    "twice a year."
                ),
            ),
        ),
        Section(
            "Communication",
            (
                (
                    "Duty manager tells the management body within 30 minutes and merchants through the "
                    "status page within 60. The "
                    "Resilience Office reports major incidents to the authority."
                ),
            ),
        ),
    ],
    (Signature("Tariq Mansoor", "Owner of the plan", "9 January 2026"),),
)

_REGISTER = table(
    ("provider", "lei", "service", "function", "critical", "contract_reference", "country", "start_date"),
    [
        (
            "Norrsken Datacenter AB",
            "549300NORRSKENDC0042",
            "Hosting, two sites",
            "Card acquiring",
            "yes",
            "ND-2023-08",
            "SE",
            "2023-09-01",
        ),
        (
            "Fjordhall Hosting AS",
            "549300FJORDHALLAS005",
            "Reserve hosting",
            "Card acquiring",
            "no",
            "FH-22",
            "NO",
            "2024-02-15",
        ),
        (
            "Clearbridge Switching NV",
            "724500CLEARBRIDGE881",
            "Card scheme gateway",
            "Card acquiring",
            "yes",
            "CB-7741",
            "NL",
            "2022-05-01",
        ),
        (
            "Måsen Meddelanden AB",
            "549300MASENMEDD00331",
            "Text messages",
            "Merchant portal",
            "no",
            "MM-2025-3",
            "SE",
            "2025-01-10",
        ),
        (
            "Ostrava Code House s.r.o.",
            "315700OSTRAVACODE019",
            "Development",
            "Merchant portal",
            "no",
            "OCH-12",
            "CZ",
            "2024-11-01",
        ),
    ],
)

SAMPLES = (
    Sample(
        "entity-and-period.pdf",
        "scope-statement",
        _STATEMENT,
        {
            "entity_reference": _ENTITY,
            "period_from": "2026-01-01",
            "period_until": "2026-06-30",
            "responsible": "Birgitta Sandell",
        },
    ),
    Sample(
        "register-of-providers.csv",
        "provider-register",
        _REGISTER,
        {"entity_reference": _ENTITY, "as_of": "today-25"},
    ),
    Sample(
        "incidents-2026-H1.xlsx",
        "incident-record",
        workbook(
            _HEAD,
            {
                "Incidents": [
                    ("incident", "detected_at", "classification", "service", "state"),
                    ("INC-2026-011", "2026-02-11T07:42Z", "minor", "Merchant portal", "closed"),
                    ("INC-2026-019", "2026-04-03T18:05Z", "minor", "Text messages", "closed"),
                    ("INC-2026-027", "2026-06-18T11:30Z", "minor", "Account payments", "closed"),
                ]
            },
        ),
        {"entity_reference": _ENTITY, "period_end": "2026-06-30", "incidents": "minor"},
    ),
    Sample(
        "failover-test-2026-03-21.pdf",
        "test-record",
        _TEST,
        {"entity_reference": _ENTITY, "kind": "failover", "tested_on": "2026-03-21"},
    ),
    Sample(
        "exit-plan-norrsken.docx",
        "exit-plan",
        _EXIT,
        {
            "entity_reference": _ENTITY,
            "provider": "Norrsken Datacenter AB",
            "owner": "Tariq Mansoor",
            "as_of": "today-75",
        },
    ),
    Sample(
        "continuity-plan-edition-9.pdf",
        "continuity-plan",
        _CONTINUITY,
        {"entity_reference": _ENTITY, "owner": "Tariq Mansoor", "as_of": "today-75"},
    ),
)
