// The look-up index: from a hash to the entries that may name it (decision page 13). A hint, never a proof.
import { formatBase64url, hashBytes } from "../verify/encoding.js";
import { parseEntry } from "../verify/leaf.js";
import { LieError, held } from "./registry.js";
import { formatIndex, need, read } from "./source.js";

const WIDTH = 256;
const KEY_LENGTH = 8;
const RECORD_LENGTH = KEY_LENGTH + 4;
const HASH_LENGTH = 32;
/** Bundles of groups that are not indexed yet, which are read at most; each has up to 180 KB. */
const MAX_UNINDEXED = 8;

export const NAMED = {
  kit_digest: "the kit's digest",
  statement_hash: "the hash of its receipt",
  manifest_root: "its manifest's root",
  client_nonce_hash: "the hash of its client's nonce",
};

/** The segments that index the first `groups` groups of 256 leaves: the one bits of the number. */
export function liveSegments(groups) {
  const found = [];
  for (let level = 0, rest = groups; rest; level += 1, rest = Math.floor(rest / 2)) {
    if (rest % 2) found.unshift({ level, number: rest - 1 });
  }
  return found;
}

/** The first `level` bits of a key: the shard. Keys are uniform, 24 bits are as many as there can be. */
export function shardOf(key, level) {
  return ((key[0] << 16) | (key[1] << 8) | key[2]) >>> (24 - level);
}

/** Indices of leaves that may name the hash, and groups that no segment speaks of. */
async function candidates(key, groups) {
  const indices = [], unindexed = [];
  const ask = async ({ level, number }) => {
    const shard = shardOf(key, level);
    const data = number % 2 ? null : await read(`v1/index/${level}/${formatIndex(number)}/${formatIndex(shard)}`);
    if (data) indices.push(...matches(data, key, number * 2 ** level * WIDTH, 2 ** level * WIDTH));
    else if (level) await Promise.all([0, 1].map((half) => ask({ level: level - 1, number: 2 * number + half })));
    else unindexed.push(number);
  };
  await Promise.all(liveSegments(groups).map(ask));
  return { indices: indices.sort((a, b) => a - b), unindexed: unindexed.sort((a, b) => b - a) };
}

function matches(data, key, first, width) {
  if (data.length % RECORD_LENGTH) throw new LieError("the look-up index has an object of a wrong length");
  const found = [], view = new DataView(data.buffer, data.byteOffset);
  for (let at = 0; at < data.length; at += RECORD_LENGTH) {
    if (!key.every((byte, place) => byte === data[at + place])) continue;
    const offset = view.getUint32(at + KEY_LENGTH);
    if (offset >= width) throw new LieError("the look-up index points outside its own segment");
    found.push(first + offset);
  }
  return found;
}

/** The entries of a bundle that name the hash, as {leafHash, index, as}. */
async function searchBundle(hash, number, width) {
  const data = await need(`tile/entries/${formatIndex(number)}${width < WIDTH ? `.p/${width}` : ""}`);
  const found = [], view = new DataView(data.buffer, data.byteOffset);
  for (let at = 0, index = number * WIDTH; at < data.length; index += 1) {
    const end = at + 2 + view.getUint16(at);
    const leaf = await held(`entry ${index}`, () => parseEntry(data.subarray(at + 2, end)));
    const as = nameOf(leaf, hash);
    if (as) found.push({ leafHash: leaf.hash(), index, as });
    at = end;
  }
  return found;
}

/** The leaf hash at `index`, as the tree's tile has it. */
export async function leafHashAt(index) {
  const data = await need(`tile/0/${formatIndex(Math.floor(index / WIDTH))}`);
  const at = (index % WIDTH) * HASH_LENGTH, part = data.subarray(at, at + HASH_LENGTH);
  if (part.length !== HASH_LENGTH) throw new LieError(`the tile of entry ${index} is cut`);
  return formatBase64url(part);
}

/** Which of its hashes a leaf names so, in words, or null. */
export function nameOf(leaf, hash) {
  const name = Object.keys(NAMED).find((member) => leaf.members[member] === hash);
  return name ? NAMED[name] : null;
}

/**
 * Everything that may name `hash` in a tree of `size`: {indices} out of the index, to be checked against
 * their entries; {found} in bundles that were read whole; {unread} groups that nobody looked into.
 */
export async function lookUp(hash, size) {
  const groups = Math.floor(size / WIDTH), key = hashBytes(hash).subarray(0, KEY_LENGTH);
  const newest = size % WIDTH ? searchBundle(hash, groups, size % WIDTH) : [];
  const { indices, unindexed } = await candidates(key, groups);
  const read = unindexed.slice(0, MAX_UNINDEXED);
  const found = (await Promise.all([newest, ...read.map((group) => searchBundle(hash, group, WIDTH))])).flat();
  return { indices, found, unread: unindexed.slice(MAX_UNINDEXED) };
}

/** Whether an entry at an index could stand there for the hash by a coincidence of the 8 bytes stored. */
export function coincides(leaf, hash) {
  const key = hashBytes(hash).subarray(0, KEY_LENGTH);
  return Object.keys(NAMED).some((member) => {
    const other = hashBytes(leaf.members[member]);
    return key.every((byte, at) => byte === other[at]);
  });
}
