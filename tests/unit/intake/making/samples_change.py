"""A hospital group replaces the firmware of its core switches; the service owner approves it."""

from .papers import Letterhead, Section, Signature, document, pdf, workbook
from .pictures import photographed_form
from .sample import Sample

_HEAD = Letterhead(
    "Three Rivers Hospitals Trust",
    "Digital Services, Weir Road, Shrewsbury  |  change@threerivers.example.org",
    "#0a5a72",
)
_CHANGE = "CHG-20417"

_REQUEST = pdf(
    _HEAD,
    "Change request CHG-20417",
    [
        Section(
            "",
            (),
            (
                ("Title", "Firmware 9.3.2 on the core switches of both data rooms"),
                ("Asked for by", "Owen Pritchard, Network Operations, 4 May 2026, 13:20 UTC"),
                ("Scope", "core-sw-a1, core-sw-a2 (room A), core-sw-b1, core-sw-b2 (room B)"),
                (
                    "Why",
                    (
                        "The vendor's notice FN-4471 names a fault that restarts a switch after 497 days; "
                        "core-sw-b1 is at day 431"
                    ),
                ),
                ("When", "Night of 16 to 17 May 2026, 23:00 to 03:00 UTC, one switch at a time"),
                (
                    "Who is touched",
                    "All wards. With one of two switches down the network goes on; telephony may click once",
                ),
                (
                    "Risk",
                    (
                        "Medium. Both switches of a room down at once would stop the wards' systems for up "
                        "to "
                        "12 minutes"
                    ),
                ),
                (
                    "Way back",
                    (
                        "Previous image 9.2.7 stays on each switch; boot from it takes 6 minutes. Decision "
                        "point 01:30 UTC"
                    ),
                ),
                ("Tested", "On lab-sw-1 from 27 April to 3 May, no fault"),
            ),
        ),
        Section(
            "Ward communication",
            ("Site managers of both hospitals were told on 6 May; downtime folders are on the wards.",),
        ),
    ],
)

_TERMS = document(
    _HEAD,
    "Terms of reference of the change board, annex 2: service owners",
    [
        Section(
            "",
            (
                (
                    "A service owner approves changes of medium risk to the services below, alone and in "
                    "writing, before they begin. "
                    "Changes of high risk go to the change board."
                ),
            ),
            (
                ("Service", "Service owner", "Role", "From", "Until"),
                (
                    "Data network",
                    "Dr Samira Nouri",
                    "Deputy Director of Digital Services",
                    "1 January 2025",
                    "31 December 2027",
                ),
                ("Telephony", "Colin Ashdown", "Head of Telephony", "1 January 2025", "31 December 2027"),
                (
                    "Patient records",
                    "Meera Joshi",
                    "Chief Clinical Information Officer",
                    "1 March 2025",
                    "31 December 2027",
                ),
            ),
        ),
        Section(
            "",
            (
                (
                    "Nobody approves a change that he or she asked for. Passed by the executive group on 9 "
                    "December 2024."
                ),
            ),
        ),
    ],
)

_FORM = photographed_form(
    "Approval of a change",
    [
        ("Change", "CHG-20417, core switch firmware 9.3.2"),
        ("Service", "Data network"),
        ("Asked for by", "Owen Pritchard"),
        ("Risk as assessed", "Medium; way back tested on 3 May"),
        ("Window", "16 May 2026 23:00 to 17 May 03:00 UTC"),
        ("Condition", "Stop and go back if room A is not stable by 01:30 UTC"),
        ("Decision", "Go ahead"),
        ("Approved at", "11 May 2026, 15:05 UTC"),
    ],
    Signature("Dr Samira Nouri", "Service owner, data network", "11 May 2026"),
)

SAMPLES = (
    Sample(
        "change-request-CHG-20417.pdf",
        "change-request",
        _REQUEST,
        {
            "change_reference": _CHANGE,
            "requested_by": "Owen Pritchard",
            "requested_at": "2026-05-04T13:20:00Z",
            "scope": "Core switches of data rooms A and B",
        },
    ),
    Sample(
        "change-board-terms-annex-2.docx",
        "approver-authority",
        _TERMS,
        {
            "approver": "Dr Samira Nouri",
            "role": "Service owner, data network",
            "valid_from": "2025-01-01",
            "valid_until": "2027-12-31",
            "as_of": "today-60",
        },
    ),
    Sample(
        "signed-approval-nouri.jpg",
        "approval",
        _FORM,
        {
            "change_reference": _CHANGE,
            "approver": "Dr Samira Nouri",
            "approved_at": "2026-05-11T15:05:00Z",
            "signal": "signature",
        },
    ),
    Sample(
        "implementation-log.xlsx",
        "action-context",
        workbook(
            _HEAD,
            {
                "Log": [
                    ("at", "by", "what", "result"),
                    (
                        "2026-05-16T23:04Z",
                        "Owen Pritchard",
                        "core-sw-a1: boot from 9.3.2",
                        "up after 5 min 40 s",
                    ),
                    (
                        "2026-05-16T23:38Z",
                        "Owen Pritchard",
                        "core-sw-a2: boot from 9.3.2",
                        "up after 5 min 52 s",
                    ),
                    ("2026-05-17T00:30Z", "Lena Okoro", "Room A watched for 45 min", "stable, no lost calls"),
                    (
                        "2026-05-17T00:41Z",
                        "Owen Pritchard",
                        "core-sw-b1: boot from 9.3.2",
                        "up after 5 min 44 s",
                    ),
                    (
                        "2026-05-17T01:20Z",
                        "Owen Pritchard",
                        "core-sw-b2: boot from 9.3.2",
                        "up after 5 min 49 s",
                    ),
                    ("2026-05-17T02:15Z", "Lena Okoro", "Ward checks, both sites", "all wards answered"),
                    ("2026-05-17T02:20Z", "Owen Pritchard", "Change closed", "done"),
                ]
            },
        ),
        {
            "change_reference": _CHANGE,
            "performed_by": "Owen Pritchard",
            "performed_at": "2026-05-16T23:04:00Z",
            "result": "done",
        },
    ),
)
