"""The browser's reading of the look-up index is the core's: same segments, same shards, same answers."""

import json
import random
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from attestlayer.encoding import Hash, format_hash, sha256
from attestlayer.log import layout
from attestlayer.log.lookup import Segment, live_segments
from attestlayer.log.merkle import TreeHead
from attestlayer.log.tiles import WIDTH, Tile, format_bundle, format_index, format_tile
from issuer.log import face
from issuer.services.index import Indexer
from support.index_lookup import look_up
from support.log import TestLog, leaf_number
from support.site_pages import SITE
from support.thorough import thorough
from support.tools import require

GROUPS, NEWEST = 7, 15
MODULES = SITE / "assets" / "explorer"

QUESTIONS = """
import { readFileSync } from "node:fs";
globalThis.fetch = async (path) => {
  try {
    const data = readFileSync(process.argv[1] + path);
    const own = new Uint8Array(data).buffer;
    return { ok: true, status: 200, arrayBuffer: async () => own };
  } catch {
    return { ok: false, status: 404, arrayBuffer: async () => new ArrayBuffer(0) };
  }
};
const { liveSegments, lookUp, shardOf } = await import(process.argv[2] + "/index.js");
const { formatIndex } = await import(process.argv[2] + "/source.js");
const { hashBytes } = await import(process.argv[2] + "/../verify/encoding.js");
const asked = JSON.parse(readFileSync(0, "utf8"));
const levels = Array.from({ length: 25 }, (_, level) => level);
const answers = {
  segments: asked.groups.map((groups) => liveSegments(groups).map(({ level, number }) => [level, number])),
  shards: asked.keys.map(hashBytes).map((key) => levels.map((level) => shardOf(key, level))),
  names: asked.groups.map(formatIndex),
  found: [],
};
for (const hash of asked.hashes) answers.found.push(await lookUp(hash, asked.size));
console.log(JSON.stringify(answers));
"""


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> TestLog:
    """What the index is made of and asked with: seven full groups and some leaves, not indexed yet."""
    log = TestLog(tmp_path_factory.mktemp("asked"))
    public = log.init().public
    for group in range(GROUPS):
        _put(log, Tile(0, group), WIDTH)
    _put(log, Tile(0, GROUPS, NEWEST), NEWEST)
    genesis, tagged = face.read_latest(public), public.read_tagged(layout.LATEST)
    assert genesis
    assert tagged
    head = TreeHead(GROUPS * WIDTH + NEWEST, genesis.head.root)
    latest = replace(genesis, sequence=1, prev_checkpoint_hash=genesis.hash(), head=head)
    public.replace(layout.LATEST, latest.format(), tagged.tag)
    return log


def _put(log: TestLog, tile: Tile, count: int) -> None:
    leaves, public = log.leaves(count), log.ports().public
    public.create(tile.bundle_path, format_bundle([leaf.entry() for leaf in leaves]))
    public.create(tile.path, format_tile([leaf.hash() for leaf in leaves]))


def ask(
    root: Path, *, hashes: Sequence[Hash] = (), keys: Sequence[Hash] = (), groups: Sequence[int] = ()
) -> dict[str, list[object]]:
    """What the modules answer, by node over a folder: hashes are looked up, keys have shards."""
    size = GROUPS * WIDTH + NEWEST
    asked = {
        "hashes": [format_hash(value) for value in hashes],
        "keys": [format_hash(key) for key in keys],
        "groups": list(groups),
        "size": size,
    }
    command = [str(require("node")), "--input-type=module", "-e", QUESTIONS, str(root), str(MODULES)]
    done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answers: dict[str, list[object]] = json.loads(done.stdout)  # noqa: TID251
    return answers


def test_segments_shards_and_names_are_the_core_s(log: TestLog) -> None:
    chosen = random.Random(13)
    groups = [0, 1, 2, 255, 39_062, 2**24, *(chosen.randrange(2**24) for _ in range(200))]
    keys = [sha256(f"{number}".encode()) for number in range(60)]
    answers = ask(log.home / "registry", keys=keys, groups=groups)
    assert answers["segments"] == [
        [[each.level, each.number] for each in live_segments(one)] for one in groups
    ]
    assert answers["shards"] == [[Segment(level, 0).shard_of(one) for level in range(25)] for one in keys]
    assert answers["names"] == [format_index(one) for one in groups]


@pytest.mark.parametrize(
    "shards", [0, thorough(1), 5, thorough(7), 1000], ids=lambda count: f"{count} shards written"
)
def test_every_hash_is_found_however_far_the_index_is(log: TestLog, shards: int) -> None:
    """Each test indexes some more of the same log."""
    public = log.ports().public
    if shards:
        Indexer(public, log.ports().private, shards).run()
    numbers = [
        0,
        255,
        256,
        700,
        1023,
        1024,
        1500,
        GROUPS * WIDTH - 1,
        GROUPS * WIDTH,
        GROUPS * WIDTH + NEWEST - 1,
    ]
    leaves = [leaf_number(number) for number in numbers]
    hashes = [each for leaf in leaves for each in (leaf.kit_digest, leaf.client_nonce_hash)]
    answers = ask(log.home / "registry", hashes=[*hashes, sha256(b"unknown")])
    for number, (value, answer) in enumerate(zip(hashes, answers["found"], strict=False)):
        assert isinstance(answer, dict)
        wanted = numbers[number // 2]
        assert sorted({*answer["indices"], *(each["index"] for each in answer["found"])}) == [wanted]
        assert answer["indices"] == list(look_up(value, GROUPS, public.read).indices)
        assert answer["unread"] == []
    assert answers["found"][-1] == {"indices": [], "found": [], "unread": []}
