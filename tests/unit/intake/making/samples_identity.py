"""A Japanese machine builder names an authorised signatory for its European contracts."""

from .papers import Letterhead, Section, data, document, table
from .pictures import signature_card
from .sample import Sample

_HEAD = Letterhead(
    "星見精機株式会社  Hoshimi Precision Works",
    "長野県松本市  Matsumoto, Nagano  |  legal@hoshimi.example.com",
)
_HOLDER = "HPW-SIG-0019"
_AUTHORITY = "HPW-POA-2026-004"

_POWER = document(
    _HEAD,
    "委任状 Power of attorney HPW-POA-2026-004",
    [
        Section(
            "",
            (
                "当社は、下記の者に対し、次の権限を委任する。",
                "Hoshimi Precision Works gives the person below the following authority.",
            ),
            (
                ("受任者 Holder", "田辺 愛子 Aiko Tanabe, General Manager Europe, reference HPW-SIG-0019"),
                (
                    "権限 Scope",
                    (
                        "Sales and service contracts with customers in the EU, the United Kingdom and "
                        "Switzerland, "
                        "each up to JPY 300,000,000 or its equivalent"
                    ),
                ),
                (
                    "除外 Not included",
                    "Loans, guarantees, real estate, employment of directors, sub-delegation",
                ),
                ("期間 In force", "2026-04-01 から 2028-03-31 まで"),
            ),
        ),
        Section(
            "取締役会 Board",
            (
                (
                    "Granted by the board of directors on 23 March 2026, item 4. 代表取締役 星見 健一 "
                    "Kenichi Hoshimi, "
                    "representative director. 会社印 company seal affixed on the original."
                ),
            ),
        ),
    ],
)

SAMPLES = (
    Sample(
        "identity-reference.json",
        "identity-reference",
        data(
            {
                "holder_reference": _HOLDER,
                "holder": "Aiko Tanabe",
                "source": "Register of signatories of Hoshimi Precision Works, entry 19",
                "check": {
                    "kind": "in person, by a judicial scrivener",
                    "office": "Matsumoto Shiho Office",
                    "result_reference": "MSO-2026-0311",
                    "on": "2026-03-11",
                    "documents_kept": "none; seen and returned",
                },
                "employed_since": "2014-10-01",
            }
        ),
        {
            "holder_reference": _HOLDER,
            "holder": "Aiko Tanabe",
            "source": "Register of signatories of Hoshimi Precision Works, entry 19",
            "as_of": "today-28",
        },
    ),
    Sample(
        "委任状-HPW-POA-2026-004.docx",
        "authority-scope",
        _POWER,
        {
            "holder_reference": _HOLDER,
            "authority_reference": _AUTHORITY,
            "granted_by": "Board of Hoshimi Precision Works",
            "valid_from": "2026-04-01",
            "valid_until": "2028-03-31",
            "as_of": "today-28",
        },
    ),
    Sample(
        "issuance-trail.csv",
        "issuance-trail",
        table(
            ("step", "at", "by", "what"),
            [
                (
                    "1",
                    "2026-02-26",
                    "Jonas Wirth, Sales Europe",
                    "Asked for a signatory in Europe, form LG-12",
                ),
                (
                    "2",
                    "2026-03-11",
                    "Matsumoto Shiho Office",
                    "Checked the identity in person, result MSO-2026-0311",
                ),
                ("3", "2026-03-23", "Board of directors", "Granted the authority, minutes item 4"),
                (
                    "4",
                    "2026-04-01",
                    "Emi Kurosawa, Legal Department",
                    "Issued HPW-POA-2026-004 and entered it in the register",
                ),
                (
                    "5",
                    "2026-04-02",
                    "Emi Kurosawa, Legal Department",
                    "Handed the original to the holder against receipt",
                ),
            ],
        ),
        {
            "authority_reference": _AUTHORITY,
            "issued_by": "Emi Kurosawa, Legal Department",
            "issued_on": "2026-04-01",
            "method": "registry-entry",
        },
    ),
    Sample(
        "specimen-signature-tanabe.png",
        "specimen-signature",
        signature_card(
            "Aiko Tanabe",
            [
                ("Name", "Aiko Tanabe"),
                ("Company", "Hoshimi Precision Works"),
                ("Reference", _HOLDER),
                ("Authority", _AUTHORITY),
                ("Signed before", "Emi Kurosawa, 2 April 2026"),
            ],
        ),
        {"holder_reference": _HOLDER},
    ),
)
