"""What racers and killed writers do to an object store: by name, so that a process can be told of it."""

from issuer.errors import StaleTagError
from issuer.ports import ObjectStore


def create_own(store: ObjectStore, number: int, *, name: str) -> None:
    """Create one name with bytes of one's own."""
    store.create(name, str(number).encode() * 10_000)


def create_same(store: ObjectStore, number: int) -> None:
    """Create the same names with the same bytes."""
    del number
    store.create_many({f"a/{each}": b"same" for each in range(50)})


def create_or_replace(store: ObjectStore, number: int) -> None:
    """Be the first at `head`, in either way."""
    data = str(number).encode()
    if number % 2:
        store.create("head", data)
    else:
        store.replace("head", data, None)


def replace_own(store: ObjectStore, number: int, *, tag: str) -> None:
    """Replace what has this tag."""
    store.replace("head", str(number).encode(), tag)


def count_to_five(store: ObjectStore, number: int) -> int:
    """Add one to `counter`, five times."""
    del number
    done = 0
    while done < 5:
        found = store.read_tagged("counter")
        assert found is not None
        try:
            store.replace("counter", str(int(found.data) + 1).encode(), found.tag)
            done += 1
        except StaleTagError:
            continue
    return done


PAGES = tuple(bytes([48 + each]) * 200_000 for each in range(2))
"""What `page` is, one after the other."""


def read_or_replace(store: ObjectStore, number: int) -> bool:
    """One replaces `page`, the others read it: whether they saw it whole."""
    if number:
        return all(store.read("page") in PAGES for _ in range(50))
    for data in PAGES * 10:
        found = store.read_tagged("page")
        assert found is not None
        store.replace("page", data, found.tag)
    return True


def create_and_delete(store: ObjectStore, number: int) -> None:
    """Create and delete a name of one's own, below a folder that all share."""
    for turn in range(10):
        store.create(f"deep/er/{number}", str(turn).encode())
        assert store.read(f"deep/er/{number}") == str(turn).encode()
        store.delete(f"deep/er/{number}")


def content(number: int) -> bytes:
    """What step `number` of `write` stores."""
    return str(number % 10).encode() * 300_000


def write(store: ObjectStore, number: int) -> None:
    """One step of a writer that is to be killed: an object, five at once, one replaced."""
    store.create(f"a/{number}", content(number))
    store.create_many({f"b/{number}/{each}": content(each) for each in range(5)})
    old = store.read_tagged("head")
    store.replace("head", content(number), old.tag if old else None)
