"""Which sealed kits the ledger names: by a packet, a waiting leaf, or the answer that a claim is bound to.

One transaction writes all three. All are looked at, since a sealed kit that only one of them names is what a
damaged ledger is mended from.
"""

import re
from collections.abc import Iterable

from attestlayer.encoding import parse_hash
from issuer.ledger.claims import CLAIMS
from issuer.ledger.rows import PACKETS, WAITING_LEAVES
from issuer.model import Answer
from issuer.ports import Item, Table

_STATED = re.compile(rb'"kit_digest":"([A-Za-z0-9_-]{43})"')
"""In the answer to an issuing call: a member of the leaf record."""


def naming(table: Table, kit_digests: Iterable[bytes]) -> set[bytes]:
    """Those of the digests that an item of the table names. Reads the whole table, if there is any digest."""
    wanted = set(kit_digests)
    return {digest for item in (table.scan() if wanted else ()) for digest in named_by(item) & wanted}


def named_by(item: Item) -> set[bytes]:
    """The digests of sealed kits that an item names."""
    kind = item.key.pk.partition("#")[0]
    if kind == "packet":
        issued = PACKETS.parse(item.body).issued
        return {issued.kit_digest} if issued else set()
    if kind == "leaves":
        return {WAITING_LEAVES.parse(item.body).kit_digest}
    return _stated(CLAIMS.parse(item.body).answer) if kind == "claim" else set()


def _stated(answer: Answer | None) -> set[bytes]:
    return {parse_hash(text.decode()) for text in _STATED.findall(answer.body)} if answer else set()
