"""A coffee roaster pays its suppliers of April in one file; the bank takes seven of eight lines."""

from .papers import Letterhead, Section, data, document, mail, table, workbook
from .pictures import screen
from .sample import Sample

_PAYER = Letterhead(
    "Café Brûlot Torréfacteurs SAS", "27 rue des Entrepôts, Nantes  |  finance@brulot.example.com"
)
_BATCH = "CBT-2026-04-S2"
_TOTAL = "186420.75"

_LINES = [
    ("1", "Finca Altamira SA", "PA00 4410 0021 8830", "61200.00", "EUR", "Lot 114, washed"),
    ("2", "Cooperativa Rio Claro", "BR00 0360 0305 0001 0009 7956 41", "48750.00", "EUR", "Lot 2207"),
    ("3", "Yirga Growers Union", "ET00 7781 0092 1", "27900.00", "EUR", "Lot YG-31"),
    (
        "4",
        "Atelier Papier Loire SARL",
        "FR00 2004 1010 0505 0001 3M02 606",
        "9840.50",
        "EUR",
        "Facture 2026-0388",
    ),
    (
        "5",
        "Transports Kerguelen SA",
        "FR00 3000 6000 0112 3456 7890 189",
        "12311.25",
        "EUR",
        "Avril, quinzaine 2",
    ),
    ("6", "Maschinenbau Röstwerk GmbH", "DE00 5001 0517 5407 3249 31", "15600.00", "EUR", "Wartung T-120"),
    ("7", "Électricité de l'Estuaire", "FR00 1420 7500 0104 0035 8201", "7019.00", "EUR", "Contrat 55-881-2"),
    ("8", "Imprimerie Sillon", "FR00 1027 8060 3100 0200 1234 579", "3800.00", "EUR", "Étiquettes printemps"),
]

_MANDATE = document(
    _PAYER,
    "Délégation de pouvoirs de paiement / Payment mandate DP-2025-07",
    [
        Section(
            "",
            (
                (
                    "The president of Café Brûlot Torréfacteurs SAS gives the persons below joint power, "
                    "two of them together, "
                    "to release payment files from account 0188 3301 4 at Crédit Armorique de l'Ouest."
                ),
            ),
            (
                ("Reference", "DP-2025-07"),
                ("In force", "from 1 July 2025 until 30 June 2027"),
                ("Limit of one file", "EUR 250,000.00"),
                (
                    "Persons",
                    (
                        "Solène Kervadec (finance director), Bastien Ollivier (managing director), "
                        "Nour Haddad (head of purchasing)"
                    ),
                ),
                ("Condition", "Nobody releases a file that he or she prepared."),
            ),
        ),
        Section("", ("Nantes, 24 juin 2025. Signed: Hélène Brûlot, présidente.",)),
    ],
)

_NOTE = document(
    _PAYER,
    "Note on a rejected line, file CBT-2026-04-S2",
    [
        Section(
            "",
            ("The bank took seven of the eight lines of the file. What became of the eighth:",),
            (
                ("Line", "8, Imprimerie Sillon, EUR 3,800.00"),
                ("Reason given", "AC04: the account is closed"),
                (
                    "What was done",
                    (
                        "Called the printer on 29 April on the number in our file. It had moved to another "
                        "branch in "
                        "March; the new details were confirmed by its accountant and entered by two persons."
                    ),
                ),
                ("Paid", "with file CBT-2026-05-S1"),
            ),
        ),
        Section("", ("Yann Le Goff, comptabilité fournisseurs, 30 avril 2026.",)),
    ],
)

_MAIL = """Bonjour Yann,

I approve file CBT-2026-04-S2, eight lines, control total EUR 186,420.75. I compared the
three coffee lots with the contracts and the other lines with the invoices in the system.

Bastien Ollivier
Directeur général
"""

SAMPLES = (
    Sample(
        "delegation-DP-2025-07.docx",
        "authority",
        _MANDATE,
        {
            "reference": "DP-2025-07",
            "granted_by": "President of Café Brûlot Torréfacteurs SAS",
            "valid_from": "2025-07-01",
            "valid_until": "2027-06-30",
            "limit": "250000.00",
            "currency": "EUR",
            "as_of": "today-35",
        },
    ),
    Sample(
        "supplier-run-CBT-2026-04-S2.csv",
        "batch-file",
        table(("line", "payee", "account", "amount", "currency", "reference"), _LINES),
        {
            "batch_reference": _BATCH,
            "total": _TOTAL,
            "currency": "EUR",
            "prepared_by": "Yann Le Goff",
            "prepared_at": "2026-04-27T15:40:00+02:00",
        },
    ),
    Sample(
        "approbation-kervadec.png",
        "approval",
        screen(
            "Payment files: approval",
            [
                ("File", _BATCH),
                ("Lines", "8"),
                ("Control total", "EUR 186,420.75"),
                ("Prepared by", "Yann Le Goff"),
                ("Approved by", "Solène Kervadec, directrice financière"),
                ("Approved at", "2026-04-28 09:14:22 (UTC+2)"),
                ("Mandate", "DP-2025-07"),
            ],
            "#6b3f1d",
            "Entry 77120 of the approval journal. Entries can't be changed.",
        ),
        {
            "batch_reference": _BATCH,
            "total": _TOTAL,
            "approver": "Solène Kervadec",
            "approved_at": "2026-04-28T09:14:22+02:00",
        },
    ),
    Sample(
        "approbation-ollivier.eml",
        "approval",
        mail(
            "Bastien Ollivier <bastien.ollivier@brulot.example.com>",
            "Yann Le Goff <yann.legoff@brulot.example.com>",
            "Accord: fichier CBT-2026-04-S2",
            "Tue, 28 Apr 2026 10:02:00 +0200",
            _MAIL,
        ),
        {
            "batch_reference": _BATCH,
            "total": _TOTAL,
            "approver": "Bastien Ollivier",
            "approved_at": "2026-04-28T10:02:00+02:00",
        },
    ),
    Sample(
        "bank-status-report.json",
        "bank-acknowledgement",
        data(
            {
                "batch_reference": _BATCH,
                "acknowledged_at": "2026-04-28T08:31:07Z",
                "status": "some-lines",
                "lines_received": 8,
                "lines_accepted": 7,
                "total_accepted": "182620.75",
                "bank": "Crédit Armorique de l'Ouest",
                "rejected": [
                    {
                        "line": 8,
                        "payee": "Imprimerie Sillon",
                        "reason_code": "AC04",
                        "reason": "account closed",
                    }
                ],
            }
        ),
        {"batch_reference": _BATCH, "acknowledged_at": "2026-04-28T08:31:07Z", "status": "some-lines"},
    ),
    Sample(
        "relevé-2026-04-29.xlsx",
        "settlement-record",
        workbook(
            _PAYER,
            {
                "Relevé": [
                    ("booking_date", "value_date", "reference", "amount", "currency", "balance"),
                    ("2026-04-28", "2026-04-29", f"{_BATCH} 7 lines", "-182620.75", "EUR", "334918.06"),
                    ("2026-04-29", "2026-04-29", "CARTES 28/04", "18204.10", "EUR", "353122.16"),
                ]
            },
        ),
        {"batch_reference": _BATCH, "settled_on": "2026-04-29"},
    ),
    Sample("note-rejected-line-8.docx", "rejected-lines-note", _NOTE, {"batch_reference": _BATCH}),
)
