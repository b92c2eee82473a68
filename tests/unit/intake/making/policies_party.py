"""Drafts of lanes VENDOR and DORA: other companies that one depends on."""

from .drafting import (
    DOCUMENT,
    LETTER,
    SCAN,
    Draft,
    Record,
    choice,
    day,
    names_the,
    reference,
    relation,
    text,
)

SECURITY_REVIEW = Draft(
    "VENDOR",
    "Vendor diligence",
    "security-review",
    "Security diligence on one vendor",
    "What a buyer's reviewer starts from: who the vendor is and what it will do, the policies, reports, "
    "tests and "
    "contracts it handed in, who put them together, and to whom they go for review.",
    [
        Record(
            "vendor-profile",
            "Vendor profile",
            "Legal name, register number, owners, locations, sub-processors, contact for security.",
            "Ask the vendor for its company profile or the filled-in onboarding form.",
            [
                reference("vendor_reference", "Your reference of the vendor"),
                text("legal_name", "Legal name"),
                reference("register_number", "Number in the trade register"),
            ],
            types=DOCUMENT + " XLSX",
            max_age=365,
        ),
        Record(
            "engagement-scope",
            "Scope of the engagement",
            "What the vendor will do, which data and systems it touches, from when until when, and how "
            "critical it is.",
            "Write down service, data, systems and dates, or submit the statement of work.",
            [
                reference("vendor_reference", "Your reference of the vendor"),
                text("service", "The service in one line"),
                choice("criticality", "How critical it is", "low medium high critical"),
                day("starts_on", "First day"),
                day("ends_on", "Last day, if there is one", required=False),
            ],
            types=DOCUMENT + " TXT",
        ),
        Record(
            "security-policy",
            "Security policy of the vendor",
            "Information security, access, incident, continuity or data protection policy, as in force.",
            "Ask the vendor for its information security policy in force, with its date.",
            [
                reference("vendor_reference", "Your reference of the vendor"),
                text("topic", "What it is about"),
            ],
            types=DOCUMENT,
            count=(1, 20),
            max_age=730,
        ),
        Record(
            "report-or-test",
            "Report or security test",
            "Independent report or test: SOC 2 report, ISO 27001 statement of applicability, penetration "
            "test summary.",
            "Ask the vendor for its latest report or test summary, not older than a year; a summary "
            "without secrets will do.",
            [
                reference("vendor_reference", "Your reference of the vendor"),
                choice(
                    "kind", "What it is", "penetration-test soc-report iso-statement vulnerability-scan other"
                ),
                text("made_by", "Who made it"),
                day("period_end", "Last day that it speaks of"),
            ],
            types=DOCUMENT + " XLSX CSV ZIP",
            count=(1, 20),
            megabytes=50,
            max_age=365,
            columns=("id", "title", "severity", "status"),
        ),
        Record(
            "contract",
            "Contract",
            "Contract, data processing agreement, service levels, confidentiality agreement.",
            "Submit the contract or its draft; a redacted copy will do if dates and parties can be read.",
            [
                reference("vendor_reference", "Your reference of the vendor"),
                text("title", "Title of the contract"),
                choice("state", "State", "draft signed"),
            ],
            types=SCAN,
            count=(1, 10),
        ),
        Record(
            "insurance-evidence",
            "Evidence of insurance",
            "Broker's letter or policy schedule on cyber and liability cover.",
            "Keep the letters that are in force.",
            [
                reference("vendor_reference", "Your reference of the vendor"),
                day("valid_until", "Cover ends on"),
            ],
            types=SCAN,
            count=(0, 5),
        ),
        Record(
            "issuance-statement",
            "Statement on how the evidence was put together",
            "Who collected what from whom and when, and what was asked for and not received.",
            "Write a short statement: who collected the evidence, from whom, when, and what is still open.",
            [
                reference("vendor_reference", "Your reference of the vendor"),
                text("prepared_by", "Who put it together"),
                day("prepared_on", "When"),
            ],
            types=LETTER,
        ),
        Record(
            "review-handoff",
            "Hand-off to review",
            "The message or form that hands the evidence to the reviewer, with the question to be answered "
            "and the date.",
            "Submit the mail or ticket with which the evidence is handed to the reviewer.",
            [
                reference("vendor_reference", "Your reference of the vendor"),
                text("handed_to", "Who reviews it"),
                day("handed_on", "When"),
            ],
            types="EML PDF DOCX TXT",
        ),
    ],
    [
        *(
            names_the(subject, "vendor_reference", "vendor-profile.vendor_reference", "vendor")
            for subject in (
                *("engagement-scope", "security-policy", "report-or-test", "contract", "insurance-evidence"),
                *("issuance-statement", "review-handoff"),
            )
        ),
        relation(
            "not-before",
            "handed-off-after-preparation",
            (
                "The evidence was handed to review after it was put together.",
                "Correct the dates, or submit the hand-off of this evidence.",
            ),
            each="review-handoff.handed_on",
            than="issuance-statement.prepared_on",
        ),
        relation(
            "different-value",
            "reviewer-is-not-preparer",
            (
                "The reviewer is not the person who put the evidence together.",
                "Name another reviewer; for a very small team this is a note to the reader, no blocker.",
            ),
            severity="note",
            each="review-handoff.handed_to",
            matches="issuance-statement.prepared_by",
        ),
        relation(
            "not-before",
            "evidence-put-together-after-tests",
            (
                "The statement was written after the last day that any report speaks of.",
                "Correct the dates, or bring the statement up to date with the newer report.",
            ),
            each="issuance-statement.prepared_on",
            than="report-or-test.period_end",
        ),
    ],
)

_REGISTER_COLUMNS = (
    "provider",
    "lei",
    "service",
    "function",
    "critical",
    "contract_reference",
    "country",
    "start_date",
)

ICT_THIRD_PARTY = Draft(
    "DORA",
    "Operational resilience and third parties",
    "ict-third-party",
    "ICT third-party and resilience records of one period",
    "What a financial entity shows for one reporting period: its register of ICT providers, incidents and "
    "tests of the "
    "period, and the exit and continuity plans for what is critical.",
    [
        Record(
            "scope-statement",
            "Statement of entity and period",
            "Which entity and which reporting period the records are of, and who answers for them.",
            "Write one page: entity, period, functions in scope, responsible member of the management body.",
            [
                reference("entity_reference", "Reference of the entity, such as its LEI"),
                day("period_from", "First day of the period"),
                day("period_until", "Last day of the period"),
                text("responsible", "Who answers for the records"),
            ],
            types=DOCUMENT,
        ),
        Record(
            "provider-register",
            "Register of ICT providers",
            "The contractual arrangements on ICT services, one a row, with function and criticality "
            "(Article 28(3)).",
            "Export the register of information, one arrangement a row, as CSV or XLSX.",
            [reference("entity_reference", "Reference of the entity")],
            types="CSV XLSX",
            count=(1, 5),
            max_age=365,
            columns=_REGISTER_COLUMNS,
        ),
        Record(
            "incident-record",
            "Record of ICT incidents",
            "The incidents of the period with classification, times and state; or a statement that there "
            "were none.",
            "Export the incident log of the period; if there were none, submit a signed statement that "
            "says so.",
            [
                reference("entity_reference", "Reference of the entity"),
                day("period_end", "Last day that it speaks of"),
                choice("incidents", "What the period had", "none minor major"),
            ],
            types="CSV XLSX PDF DOCX",
            count=(1, 20),
            columns=("incident", "detected_at", "classification", "service", "state"),
        ),
        Record(
            "incident-report",
            "Report on a major incident",
            "Initial, intermediate or final report on a major incident, as sent to the authority.",
            "Put surplus reports into one document.",
            [
                reference("incident_reference", "Reference of the incident"),
                choice("stage", "Which report", "initial intermediate final"),
            ],
            types="PDF DOCX XLSX JSON",
            count=(0, 30),
        ),
        Record(
            "test-record",
            "Record of resilience testing",
            "Tests of the period: scenario, scope, date, result, open findings (Articles 24 to 27).",
            "Submit the test report or the summary of each test that was made in the period.",
            [
                reference("entity_reference", "Reference of the entity"),
                choice(
                    "kind",
                    "Kind of test",
                    "scenario restore failover vulnerability penetration tlpt tabletop",
                ),
                day("tested_on", "When"),
            ],
            types="PDF DOCX XLSX CSV ZIP",
            count=(1, 30),
            megabytes=50,
            columns=("test", "date", "scope", "result"),
        ),
        Record(
            "exit-plan",
            "Exit plan",
            "How a critical service would be moved to another provider or in-house, with steps, times and "
            "triggers.",
            "Submit the exit plan of each critical provider, as last confirmed by its owner.",
            [
                reference("entity_reference", "Reference of the entity"),
                text("provider", "Provider that it is for"),
                text("owner", "Who owns the plan"),
            ],
            types=DOCUMENT,
            count=(1, 20),
            max_age=730,
        ),
        Record(
            "continuity-plan",
            "Continuity and recovery plan",
            "How critical functions go on and recover: roles, recovery times, backups, communication "
            "(Articles 11, 12).",
            "Submit the ICT continuity policy or plan, as last confirmed by its owner.",
            [
                reference("entity_reference", "Reference of the entity"),
                text("owner", "Who owns the plan"),
            ],
            types=DOCUMENT,
            count=(1, 20),
            max_age=400,
        ),
    ],
    [
        *(
            names_the(subject, "entity_reference", "scope-statement.entity_reference", "entity")
            for subject in (
                "provider-register",
                "incident-record",
                "test-record",
                "exit-plan",
                "continuity-plan",
            )
        ),
        relation(
            "window-covers",
            "tests-lie-in-period",
            (
                "Each test was made in the reporting period.",
                "Submit the tests of this period, or correct the dates.",
            ),
            each="test-record.tested_on",
            from_="scope-statement.period_from",
            until="scope-statement.period_until",
        ),
        relation(
            "not-before",
            "incident-record-reaches-end-of-period",
            (
                "The incident record reaches the last day of the period.",
                "Export the incident log once more, up to the last day of the period.",
            ),
            each="incident-record.period_end",
            than="scope-statement.period_until",
        ),
        relation(
            "required-when",
            "report-for-major-incident",
            (
                "If the period had a major incident, its report is there.",
                "Submit the reports on the major incident that were sent to the authority.",
            ),
            each="incident-record.incidents",
            values=["major"],
            needs="incident-report",
        ),
    ],
)
