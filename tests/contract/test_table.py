"""What every `Table` promises. The ledger's rules are tested on the one in memory (tests/unit/ledger)."""

from collections.abc import Callable, Iterable
from itertools import pairwise

import pytest

from contract.factories import TABLES
from contract.places import Place
from contract.racing import Race, kill_at_work
from contract.records import hash_of
from issuer.adapters.aws import tries
from issuer.errors import Code, ServiceError, StoreError
from issuer.ports import Item, Key, Reader, Span, Table, Writes

A, B, C = Key("one", "a"), Key("one", "b"), Key("two")
COUNTER = Key("counter")


def put(table: Table, writes: Writes) -> None:
    """Write whatever is there now."""
    table.transact(lambda reader: (len(reader.get_many(writes)), writes))


def bodies(items: Iterable[Item]) -> list[str]:
    return [item.body for item in items]


def noise(length: int) -> str:
    """A text that no compression makes much smaller."""
    return "".join(hash_of(n).hex() for n in range(length // 64 + 1))[:length]


# Items


def test_an_item_comes_back_as_it_was_written_until_it_is_deleted(table: Table) -> None:
    put(table, {A: "text", B: "{}"})
    assert table.get_many([A, B, C]) == {A: Item(A, "text"), B: Item(B, "{}")}
    put(table, {A: "other", B: None, C: "new"})
    assert table.get_many([A, B, C]) == {A: Item(A, "other"), C: Item(C, "new")}
    assert table.get_many([]) == {}


@pytest.mark.parametrize("text", ["", "Ada Ωmega\u2028\U0001f512", "a\0b\r\n", " "])
def test_a_body_is_any_text(table: Table, text: str) -> None:
    put(table, {A: text})
    assert table.get_many([A]) == {A: Item(A, text)}
    assert bodies(table.query(Span("one", "a", "b"))) == [text]


def test_purging_changes_nothing_that_is_there(table: Table) -> None:
    put(table, {A: "kept", B: "deleted", C: noise(400_000)})
    put(table, {B: None, C: "short"})
    table.purge()
    table.purge()
    assert table.get_many([A, B, C]) == {A: Item(A, "kept"), C: Item(C, "short")}


def test_a_body_grows_and_shrinks_and_is_whole_at_every_size(table: Table) -> None:
    """From a few bytes to over two mebibytes: compressed, three times what one item of DynamoDB holds."""
    put(table, {B: "beside"})
    for length in (10, 2_200_000, 900_000, 0, 1_500_000, 5):
        put(table, {A: noise(length)})
        assert table.get_many([A])[A].body == noise(length)
        assert bodies(table.query(Span("one", "a", "b"))) == [noise(length), "beside"]
        assert sorted(bodies(table.scan())) == sorted([noise(length), "beside"])
    put(table, {A: None})
    assert bodies(table.scan()) == ["beside"]


@pytest.mark.parametrize(
    "key", [Key("x" * 2048, "y" * 1024), Key("ä" * 1024, "ß" * 512), Key(" '\"#", "\u2028")]
)
def test_a_key_is_any_text_that_fits(table: Table, key: Key) -> None:
    assert key.fits()
    put(table, {key: "here"})
    assert table.get_many([key]) == {key: Item(key, "here")}


@pytest.mark.parametrize("key", [Key("x" * 2049), Key("x", "y" * 1025), Key("ä" * 1025), Key("\udc80")])
def test_a_key_that_is_too_long_or_no_text_does_not_fit(key: Key) -> None:
    assert not key.fits()


def test_a_table_that_was_only_used_finds_no_damage_in_itself(table: Table) -> None:
    put(table, {A: noise(500_000), B: "b"})
    put(table, {A: None})
    assert list(table.damage()) == []


def test_everything_is_there_after_opening_again(table_place: Place[Table]) -> None:
    table = table_place.open()
    put(table, {A: "a", B: noise(500_000), C: "c"})
    table.mark([C])
    again = table_place.open()
    assert again.get_many([A, B, C]) == {A: Item(A, "a"), B: Item(B, noise(500_000)), C: Item(C, "c", True)}


# In order


SORTED = ["", "#", "0", "00", "9", "A", "a", "a#1", "a#10", "a#2", "b", "~", "é", "\ufb01", "\U0001f512"]
"""In order of their UTF-8: the last two are the other way round in UTF-16."""


def test_a_span_is_read_in_order_of_its_sort_keys_both_ways(table: Table) -> None:
    keys = SORTED[1:]  # DynamoDB takes no empty one
    put(
        table, {Key("p", sk): sk for sk in reversed(keys)} | {Key("q", "a"): "other", Key("p2", "a"): "other"}
    )
    assert bodies(table.query(Span("p", "!", "\U0001ffff"))) == keys
    assert bodies(table.query(Span("p", "!", "\U0001ffff", reverse=True))) == keys[::-1]
    assert all(one.encode() < other.encode() for one, other in pairwise(keys))


def test_a_span_includes_its_ends_and_ends_at_the_limit(table: Table) -> None:
    put(table, {Key("p", f"{n:02}"): str(n) for n in range(20)})
    assert bodies(table.query(Span("p", "05", "08"))) == ["5", "6", "7", "8"]
    assert bodies(table.query(Span("p", "05", "08", reverse=True), 3)) == ["8", "7", "6"]
    assert bodies(table.query(Span("p", "05", "08"), 9)) == ["5", "6", "7", "8"]
    assert bodies(table.query(Span("p", "05", "08"), 0)) == []
    assert bodies(table.query(Span("p", "055", "056"))) == bodies(table.query(Span("r", "0", "9"))) == []


def test_spans_of_many_pages_are_whole(table: Table) -> None:
    """3 MB in two partitions: DynamoDB answers 1 MB at once."""
    keys = [Key(f"p{n % 2}", f"{n:03}") for n in range(150)]
    for at in range(0, len(keys), 50):
        put(table, {key: key.sk + noise(40_000) for key in keys[at : at + 50]})
    spans = [Span("p0", "0", "9"), Span("p1", "0", "9"), Span("p2", "0", "9")]
    assert [item.key for item in table.query(spans[0])] == keys[::2]
    assert [item.key for item in table.query(spans[1], 60)] == keys[1:121:2]
    for items in (list(table.gather(spans)), list(table.scan())):
        assert sorted(item.key.sk for item in items) == [key.sk for key in keys]
        assert all(item.body == item.key.sk + noise(40_000) for item in items)
    assert list(table.gather([])) == []
    assert set(table.get_many([*keys, A])) == set(keys)


# Marks


def test_a_mark_stays_until_the_item_is_written_again(table: Table) -> None:
    put(table, {A: "a", B: noise(500_000)})
    table.mark([A, B, C])
    table.mark([])
    marked = {A: Item(A, "a", True), B: Item(B, noise(500_000), True)}
    assert table.get_many([A, B, C]) == marked
    assert {item.key: item for item in table.query(Span("one", "a", "b"))} == marked
    assert {item.key: item for item in table.gather([Span("one", "a", "b")])} == marked
    put(table, {A: "a", B: None})
    assert table.get_many([A, B]) == {A: Item(A, "a")}


def test_many_items_can_be_marked_at_once(table: Table) -> None:
    keys = [Key("many", f"{n:03}") for n in range(90)]
    put(table, dict.fromkeys(keys, "x"))
    table.mark([*keys[:-1], *(Key("absent", str(n)) for n in range(300))])
    assert [item.marked for item in table.query(Span("many", "0", "9"))] == [True] * 89 + [False]


# Transactions


def test_a_transaction_gives_its_result_and_writes_nothing_if_it_raises(table: Table) -> None:
    put(table, {A: "a"})

    def act(reader: Reader) -> tuple[str, Writes]:
        return reader.get_many([A, B])[A].body, {B: "b"}

    def fail(reader: Reader) -> tuple[str, Writes]:
        reader.get_many([A])
        raise ServiceError(Code.NO_CREDITS, "of the act")

    assert table.transact(act) == "a"
    with pytest.raises(ServiceError, match="of the act"):
        table.transact(fail)
    assert table.transact(lambda reader: (None, {})) is None
    assert table.get_many([A, B]) == {A: Item(A, "a"), B: Item(B, "b")}


def test_an_item_that_was_not_read_is_not_overwritten(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tries, "_sleep", lambda seconds: None)
    put(table, {A: "a"})
    with pytest.raises(StoreError):
        table.transact(lambda reader: (None, {B: "b", A: "mine"}))
    assert table.get_many([A, B]) == {A: Item(A, "a")}


def disturbed(table: Table, change: Callable[[], object]) -> list[str | None]:
    """What each try of a transaction on A saw; `change` comes between the first one's read and its end."""
    seen: list[str | None] = []

    def act(reader: Reader) -> tuple[None, Writes]:
        item = reader.get_many([A, B]).get(A)
        seen.append(item.body if item else None)
        if len(seen) == 1:
            change()
        return None, {A: "mine"}

    table.transact(act)
    assert table.get_many([A])[A].body == "mine"
    return seen


@pytest.mark.parametrize(
    "table_factory", [each for each in TABLES if not each.exclusive], ids=lambda factory: factory.name
)
def test_a_transaction_begins_again_if_an_item_that_it_writes_has_changed(table: Table) -> None:
    assert disturbed(table, lambda: put(table, {A: "theirs"})) == [None, "theirs"]
    assert disturbed(table, lambda: put(table, {A: "mine"})) == ["mine", "mine"], "the same text is a change"
    assert disturbed(table, lambda: put(table, {A: None})) == ["mine", None]
    assert disturbed(table, lambda: put(table, {B: "theirs"})) == ["mine"], "it was only read"
    assert disturbed(table, lambda: table.mark([A])) == ["mine"], "a mark is no change"


# Races


def add_one(reader: Reader) -> tuple[int, Writes]:
    item = reader.get_many([COUNTER]).get(COUNTER)
    number = int(item.body) + 1 if item else 1
    return number, {COUNTER: str(number), Key("added", f"{number:03}"): str(number)}


def test_no_addition_is_lost(table_race: Race[Table]) -> None:
    def act(table: Table, _: int) -> int:
        return [table.transact(add_one) for _ in range(5)][-1]

    results = table_race.run(act)
    wanted = 5 * table_race.count
    assert max(map(int, results)) == wanted
    table = table_race.factory.open(table_race.place)
    assert table.get_many([COUNTER])[COUNTER].body == str(wanted)
    assert bodies(table.query(Span("added", "0", "9"))) == [str(n + 1) for n in range(wanted)]


def test_of_racers_for_a_new_item_one_wins(table_race: Race[Table]) -> None:
    def act(table: Table, number: int) -> bool:
        def take(reader: Reader) -> tuple[bool, Writes]:
            free = A not in reader.get_many([A])
            return free, {A: str(number)} if free else {}

        return table.transact(take)

    for _ in range(3):
        results = table_race.run(act)
        assert sorted(results) == ["False"] * (table_race.count - 1) + ["True"]
        table = table_race.factory.open(table_race.place)
        assert table.get_many([A])[A].body == str(results.index("True"))
        put(table, {A: None})


def test_large_items_are_whole_whatever_is_written_meanwhile(table_race: Race[Table]) -> None:
    """One replaces an item in parts, the others read it."""
    table = table_race.factory.open(table_race.place)
    texts = [character + noise(900_000) for character in "ab"]
    put(table, {A: texts[0]})

    def act(table: Table, number: int) -> bool:
        if number:
            return all(table.get_many([A])[A].body in texts for _ in range(5))
        for text in texts * 3:
            put(table, {A: text})
        return True

    assert table_race.run(act) == ["True"] * table_race.count


@pytest.mark.parametrize(
    "table_factory", [each for each in TABLES if each.processes], ids=lambda factory: factory.name
)
@pytest.mark.parametrize("acknowledged", [1, 20])
def test_a_killed_writer_leaves_whole_transactions(table_place: Place[Table], acknowledged: int) -> None:
    def step(table: Table, _: int) -> None:
        table.transact(add_one)

    done = kill_at_work(table_place.factory, table_place.path, step, acknowledged)
    table = table_place.open()
    number = int(table.get_many([COUNTER])[COUNTER].body)
    assert number >= done, "what returned is durable"
    assert bodies(table.query(Span("added", "0", "9"))) == [str(n + 1) for n in range(number)]
