"""A shipping company pays the second instalment of a dry-docking, EUR 2,480,000.00."""

from .papers import Letterhead, Section, Signature, data, mail, pdf, table
from .sample import Sample

_PAYER = Letterhead(
    "Nordhaven Shipping Ltd",
    "14 Quay Street, Leith  |  Company no. SC-0045117  |  treasury@nordhaven.example.com",
    "#0d4f6c",
)
_BANK = Letterhead(
    "Sundby & Vale Bank plc",
    "Payment Operations, 3 Exchange Row, Edinburgh  |  payments@sundbyvale.example.org",
    "#5b1f33",
)
_YARD = Letterhead(
    "Kestrel Marine Works GmbH",
    "Werftallee 9, Bremerhaven  |  accounts@kestrel-marine.example.org",
    "#2f4a2a",
)
_REFERENCE = "NHS-PAY-2026-0417"
_UETR = "7c1e5a90-42bd-4f0e-9d3a-b6a8e2f41c77"

_RESOLUTION = pdf(
    _PAYER,
    "Resolution of the board BR-2026-03: payment mandate",
    [
        Section(
            "",
            (
                (
                    "At its meeting of 12 December 2025, held at 14 Quay Street, Leith, and by video link, "
                    "a quorum being "
                    "present, the board of Nordhaven Shipping Ltd resolved to renew the payment mandate "
                    "over the company's "
                    "account 8841 2207 at Sundby & Vale Bank plc as follows."
                ),
            ),
            (
                ("Reference", "BR-2026-03"),
                ("In force", "from 1 January 2026 until 31 December 2026, both days included"),
                ("Limit", "EUR 5,000,000.00 for a single payment"),
                (
                    "Approvers",
                    (
                        "Any two of: Marit Olsvik (Chief Financial Officer), Declan Reyes (Group Treasurer), "
                        "Ingrid Farrow (Company Secretary)"
                    ),
                ),
                (
                    "Entry",
                    (
                        "Payments are entered by Treasury Operations. Nobody approves a payment that he or "
                        "she "
                        "entered."
                    ),
                ),
                (
                    "Payee details",
                    (
                        "New or changed bank details are confirmed by a call to a number that the company "
                        "already holds, before the payment is released."
                    ),
                ),
            ),
        ),
        Section(
            "Recorded",
            (
                (
                    "The resolution was passed without dissent. It replaces BR-2025-02 from the day on "
                    "which it comes into force. "
                    "A copy goes to the bank."
                ),
            ),
        ),
    ],
    (
        Signature("Sir Alasdair Munro", "Chairman", "12 December 2025"),
        Signature("Ingrid Farrow", "Company Secretary", "12 December 2025"),
    ),
)

_SECOND_APPROVAL = pdf(
    _PAYER,
    "Payment approval form",
    [
        Section(
            "",
            (
                (
                    "I have compared the payment below with invoice KMW-20931, the dry-docking contract "
                    "and the note of the "
                    "call-back, and approve its release under mandate BR-2026-03."
                ),
            ),
            (
                ("Payment", _REFERENCE),
                ("Payee", "Kestrel Marine Works GmbH, Bremerhaven"),
                ("Account", "DE00 2905 0000 1004 7731 20"),
                ("Amount", "EUR 2,480,000.00"),
                ("Purpose", "Invoice KMW-20931, second instalment, dry-docking of MV Halcyon Tern"),
                ("Entered by", "Priya Raman, Treasury Operations"),
                ("Approved at", "17 April 2026, 10:52 UTC"),
            ),
        )
    ],
    (Signature("Declan Reyes", "Group Treasurer", "17 April 2026"),),
)

_ADVICE = pdf(
    _BANK,
    "Payment execution advice",
    [
        Section(
            "",
            ("We confirm that we executed the following payment on your instruction.",),
            (
                ("Your reference", _REFERENCE),
                ("UETR", _UETR),
                ("Ordering customer", "Nordhaven Shipping Ltd, account 8841 2207"),
                ("Beneficiary", "Kestrel Marine Works GmbH, DE00 2905 0000 1004 7731 20"),
                ("Amount", "EUR 2,480,000.00"),
                ("Charges", "SHA, our charge EUR 18.00 debited separately"),
                ("Executed", "17 April 2026, 13:05:41 UTC, pacs.008 sent over the high-value system"),
                ("Interbank settlement date", "20 April 2026"),
            ),
        ),
        Section("", ("This advice was produced by a system and is valid without a signature.",)),
    ],
)

_INVOICE = pdf(
    _YARD,
    "Rechnung / Invoice KMW-20931",
    [
        Section(
            "",
            (
                (
                    "Nordhaven Shipping Ltd, 14 Quay Street, Leith. Ihre Referenz / your reference: contract "
                    "DD-2025-118, MV Halcyon Tern."
                ),
            ),
            (
                ("Pos.", "Leistung / Service", "Menge", "EUR"),
                ("1", "Docken, Reinigen, Strahlen / docking, cleaning, blasting", "1", "640,000.00"),
                ("2", "Stahlerneuerung / steel renewal, frames 44 to 71", "118 t", "1,357,000.00"),
                ("3", "Beschichtung / coating, three coats", "9,200 m2", "483,000.00"),
                ("", "Zweite Rate / second instalment, due 20 April 2026", "", "2,480,000.00"),
            ),
        ),
        Section(
            "",
            (
                (
                    "Zahlbar auf / payable to DE00 2905 0000 1004 7731 20. Steuerfrei nach Abschnitt "
                    "Seeschiffe / zero-rated, sea-going vessel. "
                    "Bremerhaven, 31. März 2026."
                ),
            ),
        ),
    ],
)

_CALL_BACK = """NOTE OF A CALL-BACK: PAYEE'S BANK DETAILS

Payment:        NHS-PAY-2026-0417
Payee:          Kestrel Marine Works GmbH, Bremerhaven
Called number:  from our vendor file of 2023 (not from the invoice or any mail)
Spoken with:    Anneke Brandt, head of accounts, recognised by voice and by the
                amount of the first instalment
When:           2026-04-16, 14:20 UTC
Caller:         Tomas Ekberg, Treasury Operations

Mrs Brandt read the account number to me: DE00 2905 0000 1004 7731 20. It is
the same as on invoice KMW-20931 and as in our vendor file since March 2023.
She confirmed that the yard has not changed its bank and expects EUR
2,480,000.00 on 20 April 2026.

Tomas Ekberg
"""

_APPROVAL_MAIL = """Priya, Declan,

I approve payment NHS-PAY-2026-0417: EUR 2,480,000.00 to Kestrel Marine Works GmbH,
DE00 2905 0000 1004 7731 20, second instalment for MV Halcyon Tern, invoice KMW-20931.

I have seen the note of Tomas's call-back of 16 April and the yard's progress report no. 2.
Declan gives the second approval on the form.

Marit Olsvik
Chief Financial Officer, Nordhaven Shipping Ltd
"""

SAMPLES = (
    Sample(
        "board-resolution-BR-2026-03.pdf",
        "authority",
        _RESOLUTION,
        {
            "reference": "BR-2026-03",
            "granted_by": "Board of Nordhaven Shipping Ltd",
            "valid_from": "2026-01-01",
            "valid_until": "2026-12-31",
            "limit": "5000000.00",
            "currency": "EUR",
            "as_of": "today-21",
        },
    ),
    Sample(
        "payment-instruction.json",
        "payment-instruction",
        data(
            {
                "reference": _REFERENCE,
                "amount": "2480000.00",
                "currency": "EUR",
                "requested_by": "Priya Raman",
                "requested_at": "2026-04-16T09:12:00Z",
                "requested_execution_date": "2026-04-17",
                "debtor": {"name": "Nordhaven Shipping Ltd", "account": "8841 2207"},
                "creditor": {
                    "name": "Kestrel Marine Works GmbH",
                    "account": "DE00 2905 0000 1004 7731 20",
                    "country": "DE",
                },
                "purpose": "Invoice KMW-20931, second instalment, dry-docking of MV Halcyon Tern",
                "charges": "SHA",
                "system": "treasury workstation, export of the order as released",
            }
        ),
        {
            "reference": _REFERENCE,
            "amount": "2480000.00",
            "currency": "EUR",
            "requested_by": "Priya Raman",
            "requested_at": "2026-04-16T09:12:00Z",
        },
    ),
    Sample(
        "call-back-note.txt",
        "payee-check",
        _CALL_BACK.encode(),
        {
            "payment_reference": _REFERENCE,
            "checked_by": "Tomas Ekberg",
            "checked_at": "2026-04-16T14:20:00Z",
            "method": "call-back",
        },
    ),
    Sample(
        "first-approval-olsvik.eml",
        "approval",
        mail(
            "Marit Olsvik <marit.olsvik@nordhaven.example.com>",
            "Priya Raman <priya.raman@nordhaven.example.com>, Declan Reyes "
            "<declan.reyes@nordhaven.example.com>",
            "Approval of NHS-PAY-2026-0417, EUR 2,480,000.00",
            "Fri, 17 Apr 2026 10:15:00 +0000",
            _APPROVAL_MAIL,
        ),
        {
            "payment_reference": _REFERENCE,
            "approver": "Marit Olsvik",
            "approved_at": "2026-04-17T10:15:00Z",
            "signal": "mail",
        },
    ),
    Sample(
        "second-approval-reyes.pdf",
        "approval",
        _SECOND_APPROVAL,
        {
            "payment_reference": _REFERENCE,
            "approver": "Declan Reyes",
            "approved_at": "2026-04-17T10:52:00Z",
            "signal": "signature",
        },
    ),
    Sample(
        "bank-execution-advice.pdf",
        "execution-record",
        _ADVICE,
        {
            "payment_reference": _REFERENCE,
            "bank_reference": _UETR,
            "executed_at": "2026-04-17T13:05:41Z",
            "amount": "2480000.00",
            "currency": "EUR",
        },
    ),
    Sample(
        "account-statement-2026-04-20.csv",
        "settlement-record",
        table(
            ("booking_date", "value_date", "reference", "counterparty", "amount", "currency", "balance"),
            [
                (
                    "2026-04-17",
                    "2026-04-20",
                    _REFERENCE,
                    "Kestrel Marine Works GmbH",
                    "-2480000.00",
                    "EUR",
                    "6114203.55",
                ),
                (
                    "2026-04-17",
                    "2026-04-17",
                    "CHG-0417-22",
                    "Sundby & Vale Bank plc",
                    "-18.00",
                    "EUR",
                    "6114185.55",
                ),
                (
                    "2026-04-20",
                    "2026-04-20",
                    "FRT-IN-88120",
                    "Baltic Grain Lines AS",
                    "412500.00",
                    "EUR",
                    "6526685.55",
                ),
            ],
        ),
        {"payment_reference": _REFERENCE, "settled_on": "2026-04-20", "status": "settled"},
    ),
    Sample(
        "Rechnung KMW-20931 (März 2026).pdf",
        "supporting-document",
        _INVOICE,
        {"describes": "Invoice of the yard"},
    ),
)
