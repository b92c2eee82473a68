"""An insurer gathers diligence on a claims-imaging vendor before signing for another year."""

from .papers import Letterhead, Section, Signature, archive, document, mail, pdf, table, workbook
from .sample import Sample

_BUYER = Letterhead(
    "Alder & Finch Mutual Insurance",
    "Third-Party Risk, 60 Bellwether Lane, Norwich  |  tpr@alderfinch.example.com",
    "#3a3560",
)
_VENDOR = Letterhead(
    "Pixelmoor Imaging Ltd", "Unit 4, Lockgate Yard, Bristol  |  security@pixelmoor.example.org", "#7a4a12"
)
_TESTER = Letterhead(
    "Greywater Security Testing LLP", "2 Mill Steps, Leeds  |  reports@greywater.example.org", "#333333"
)
_REFERENCE = "AFM-V-0392"

_SCOPE = document(
    _BUYER,
    "Scope of the engagement: Pixelmoor Imaging Ltd",
    [
        Section(
            "",
            (),
            (
                ("Vendor reference", _REFERENCE),
                ("Service", "Storage and reading of photographs of motor claims"),
                ("Data", "Photographs, registration numbers, claim numbers; no payment or health data"),
                (
                    "Systems",
                    "Claims platform by one interface, read and write; staff access by single sign-on",
                ),
                (
                    "Criticality",
                    "High: 70 per cent of motor claims pass through it; by hand the same takes four days",
                ),
                ("Dates", "from 1 October 2026 until 30 September 2027"),
                ("Owner", "Beatrix Lowell, Motor Claims"),
            ),
        ),
    ],
)

_POLICY = pdf(
    _VENDOR,
    "Information security policy, version 6.1",
    [
        Section(
            "1 Responsibility",
            (
                (
                    "The managing director owns this policy. The head of engineering, Idris Calloway, "
                    "carries it out and reports "
                    "each quarter. It is read anew every year and after every serious incident."
                ),
            ),
        ),
        Section(
            "2 Access",
            (
                (
                    "Everybody has an account of his or her own with a second factor. Production is "
                    "reached through a jump host that records "
                    "sessions. Rights are looked at each quarter and end on the day a person leaves."
                ),
            ),
        ),
        Section(
            "3 Customers' pictures",
            (
                (
                    "Pictures lie encrypted in two regions of one country, apart for each customer. They "
                    "are deleted 30 days "
                    "after the customer says so, from backups after another 35."
                ),
            ),
        ),
        Section(
            "4 Changes and weaknesses",
            (
                (
                    "Each change is read by a second person. Critical weaknesses are closed within 7 days, "
                    "high ones within 30."
                ),
            ),
        ),
        Section(
            "5 Incidents",
            ("Customers are told within 24 hours of our knowing that their data may be touched.",),
        ),
    ],
    (Signature("Rhona Pell", "Managing Director", "12 January 2026"),),
)

_TEST = pdf(
    _TESTER,
    "Penetration test of the claims-imaging service: summary",
    [
        Section(
            "",
            (
                (
                    "Greywater tested the web service and interface of Pixelmoor Imaging Ltd from 4 to 15 "
                    "May 2026 with two testers, with accounts of "
                    "two customers, on a copy of production. This summary may be handed on; the full "
                    "report stays with Pixelmoor."
                ),
            ),
            (
                ("Severity", "Found", "Closed at retest, 10 June 2026"),
                ("Critical", "0", "0"),
                ("High", "1", "1"),
                ("Medium", "3", "2"),
                ("Low", "5", "3"),
            ),
        ),
        Section(
            "High finding GW-01",
            (
                (
                    "A claim number of another customer could be tried out through the thumbnail address. "
                    "Closed on 19 May: "
                    "addresses are signed and expire after ten minutes."
                ),
            ),
        ),
    ],
    (Signature("Magnus Thirlwell", "Lead tester", "12 June 2026"),),
)

_FINDINGS = table(
    ("id", "title", "severity", "status"),
    [
        ("GW-01", "Thumbnails of other customers", "high", "closed"),
        ("GW-02", "No limit on sign-in attempts of the interface", "medium", "closed"),
        ("GW-03", "Old cipher suites on the upload host", "medium", "closed"),
        ("GW-04", "Verbose errors", "medium", "open, due 2026-09-30"),
        ("GW-05", "Missing header on static files", "low", "closed"),
    ],
)

_CONTRACT = pdf(
    _BUYER,
    "Services agreement AFM-C-1187 (extract)",
    [
        Section("Parties", ("Alder & Finch Mutual Insurance and Pixelmoor Imaging Ltd.",)),
        Section(
            "7 Security",
            (
                (
                    "7.1 The supplier keeps to its information security policy, not below version 6.1. 7.2 "
                    "It has the service tested by an "
                    "independent tester once a year and hands over the summary. 7.3 It tells the customer "
                    "of an incident within 24 hours."
                ),
            ),
        ),
        Section(
            "8 Sub-contractors",
            (
                (
                    "8.1 Hosting by Northlight Cloud Ltd, two regions in the United Kingdom. A change "
                    "needs 60 "
                    "days' notice."
                ),
            ),
        ),
        Section(
            "14 Exit",
            (
                (
                    "14.2 On ending, the supplier returns all pictures in their original form within 30 days "
                    "and deletes them 30 days after."
                ),
            ),
        ),
    ],
    (
        Signature("Beatrix Lowell", "for Alder & Finch", "22 June 2026"),
        Signature("Rhona Pell", "for Pixelmoor", "24 June 2026"),
    ),
)

_STATEMENT = """STATEMENT ON HOW THE EVIDENCE WAS PUT TOGETHER

Vendor:       Pixelmoor Imaging Ltd, reference AFM-V-0392
Prepared by:  Gwen Hallam, Third-Party Risk, Alder & Finch
Prepared on:  2026-07-03

From the vendor, by its security contact Idris Calloway, on 29 June 2026:
  - information security policy 6.1
  - summary of the penetration test of May 2026, and the list of findings
  - filled-in vendor profile
From our own files: scope of the engagement, services agreement AFM-C-1187.

Asked for and not received: the full report of the test (stays with the vendor).
Still open: finding GW-04, which the vendor says it will close by 30 September 2026.

Nothing was changed; files are as received.
"""

_HANDOFF = """Dear Mr Sandoval,

please review the diligence on Pixelmoor Imaging Ltd (AFM-V-0392) for the extension of agreement AFM-C-1187.
The question to you: may the service go on at criticality high, and on which conditions?
We need your answer by 31 July 2026.

Gwen Hallam
Third-Party Risk, Alder & Finch Mutual Insurance
"""

SAMPLES = (
    Sample(
        "vendor-profile.xlsx",
        "vendor-profile",
        workbook(
            _VENDOR,
            {
                "Profile": [
                    ("Question", "Answer"),
                    ("Legal name", "Pixelmoor Imaging Ltd"),
                    ("Register number", "UK-11840276"),
                    ("Owners", "Rhona Pell 62 %, Idris Calloway 38 %"),
                    ("Staff", "41"),
                    ("Locations", "Bristol"),
                    ("Sub-processors", "Northlight Cloud Ltd (hosting, United Kingdom)"),
                    ("Security contact", "security@pixelmoor.example.org"),
                ]
            },
        ),
        {
            "vendor_reference": _REFERENCE,
            "legal_name": "Pixelmoor Imaging Ltd",
            "register_number": "UK-11840276",
            "as_of": "today-40",
        },
    ),
    Sample(
        "engagement-scope.docx",
        "engagement-scope",
        _SCOPE,
        {
            "vendor_reference": _REFERENCE,
            "service": "Storage and reading of photographs of motor claims",
            "criticality": "high",
            "starts_on": "2026-10-01",
            "ends_on": "2027-09-30",
        },
    ),
    Sample(
        "information-security-policy-6.1.pdf",
        "security-policy",
        _POLICY,
        {"vendor_reference": _REFERENCE, "topic": "Information security", "as_of": "today-90"},
    ),
    Sample(
        "penetration-test-2026.zip",
        "report-or-test",
        archive({"penetration-test/summary.pdf": _TEST, "penetration-test/findings.csv": _FINDINGS}),
        {
            "vendor_reference": _REFERENCE,
            "kind": "penetration-test",
            "made_by": "Greywater Security Testing LLP",
            "period_end": "2026-06-10",
            "as_of": "today-45",
        },
    ),
    Sample(
        "services-agreement-AFM-C-1187.pdf",
        "contract",
        _CONTRACT,
        {"vendor_reference": _REFERENCE, "title": "Services agreement AFM-C-1187", "state": "signed"},
    ),
    Sample(
        "how-the-evidence-was-put-together.txt",
        "issuance-statement",
        _STATEMENT.encode(),
        {"vendor_reference": _REFERENCE, "prepared_by": "Gwen Hallam", "prepared_on": "2026-07-03"},
    ),
    Sample(
        "hand-off-to-review.eml",
        "review-handoff",
        mail(
            "Gwen Hallam <gwen.hallam@alderfinch.example.com>",
            "Luis Sandoval <luis.sandoval@alderfinch.example.com>",
            "Review of AFM-V-0392, Pixelmoor Imaging Ltd",
            "Mon, 06 Jul 2026 08:45:00 +0000",
            _HANDOFF,
        ),
        {"vendor_reference": _REFERENCE, "handed_to": "Luis Sandoval", "handed_on": "2026-07-06"},
    ),
)
