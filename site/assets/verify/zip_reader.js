// Reads a kit from a ZIP, the canonical one or one that was packed again (REG-1.0 sections 6.5 and 6.8).
//
// A ZIP says many things twice. It is read only if all it says agrees, so that there is one way to read it.
// Bytes come from a *source*: {size, read(start, end)}, where `read` gives a promise of the bytes that there are.
import { arrange } from "./contents.js";
import { decodeName, startsWithBytes } from "./encoding.js";
import { VerificationError } from "./errors.js";
import { ZIP_START, ambiguous, collect, piecesOf } from "./kit.js";
import { DEFLATED, readDirectory, readPlace } from "./zip_entry.js";
import { TAIL_LENGTH, readFrame } from "./zip_frame.js";
import { readPaths, shownName } from "./zip_names.js";

const PIECE = 1 << 14; // of deflated data: it can inflate to a thousand times as much, which is in memory

/** The kit in a ZIP. Raises `VerificationError` (input-not-a-kit, container-…). */
export async function readZip(source) {
  if (!startsWithBytes(await source.read(0, ZIP_START.length), ZIP_START)) throw notAKit();
  const frame = readFrame(await source.read(Math.max(source.size - TAIL_LENGTH, 0), source.size), source.size);
  const entries = readDirectory(await source.read(frame.offset, frame.offset + frame.size), frame.count);
  const places = await readPlaces(source, entries, frame);
  const paths = readPaths(entries), files = [];
  for (const [n, entry] of entries.entries()) {
    const content = contentOf(source, entry, places[n]);
    if (!entry.isFolder) files.push({ path: decodeName(paths[n]), size: entry.size, crc32: entry.crc32, ...content });
    else await readToEnd(content);
  }
  const contents = arrange(files);
  const isWhole = isCanonical(entries, places, frame) && !contents.ignored.length && !contents.isMoved;
  return collect(contents, !isWhole);
}

/** What is said of a file that is no ZIP. */
export function notAKit() {
  const message = "neither a folder nor a ZIP file: it does not begin with PK\\3\\4";
  return new VerificationError("input-not-a-kit", message);
}

/** The place of each entry's data: the entries fill the file up to the directory, without a gap. */
async function readPlaces(source, entries, frame) {
  const order = [...entries.keys()].sort((one, other) => entries[one].start - entries[other].start || one - other);
  const ends = [...order.slice(1).map((n) => entries[n].start), frame.offset];
  if (!order.length || entries[order[0]].start) throw ambiguous("something precedes its first entry");
  const places = Array(entries.length);
  for (const [at, n] of order.entries()) places[n] = await readPlace(source, entries[n], ends[at]);
  return places;
}

/** Whether these are the bytes that the members make: every header, their order, and no ZIP64 record. */
function isCanonical(entries, places, frame) {
  const inOrder = entries.every(({ name, start }, n) => !n || (entries[n - 1].name < name && entries[n - 1].start <= start));
  return inOrder && !frame.isZip64 && [...entries, ...places].every((each) => each.isCanonical);
}

/** {chunks, checkEnd} of an entry's data. */
function contentOf(source, entry, { start }) {
  if (entry.method !== DEFLATED) return { chunks: () => piecesOf(source, start, entry.size) };
  const wrong = () => ambiguous(`${shownName(entry.name)} does not inflate to just its ${entry.size} bytes`);
  const inflate = (length) => inflated(piecesOf(source, start, length, PIECE), entry.size, wrong);
  return { chunks: () => inflate(entry.compressed), checkEnd: () => checkEnd(inflate, entry.compressed, wrong) };
}

async function readToEnd({ chunks, checkEnd: check }) {
  for await (const chunk of chunks()) void chunk;
  await check?.();
}

/** Inflated data of just `size` bytes. Raises what `wrong` makes, also where it would be one byte more. */
async function* inflated(pieces, size, wrong) {
  const stream = inflater(), reader = stream.readable.getReader(), fed = feed(stream.writable.getWriter(), pieces);
  let left = size;
  try {
    for (let next; !(next = await reader.read()).done; ) {
      left -= next.value.length;
      if (left < 0) throw wrong();
      yield next.value;
    }
  } catch (error) {
    throw error instanceof VerificationError ? error : wrong();
  } finally {
    reader.cancel().catch(() => {}); // of a stream that failed, or whose reader left
    await fed;
  }
  if (left) throw wrong();
}

function inflater() {
  try {
    return new DecompressionStream("deflate-raw");
  } catch {
    const message = "this browser can't inflate the ZIP: unpack it into an empty folder and check the folder";
    throw new VerificationError("input-unreadable", message);
  }
}

async function feed(writer, pieces) {
  try {
    for await (const piece of pieces) await writer.write(piece);
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => {}); // the reader gets the error
  }
}

/** Check that deflated data ends in its last byte: without it, it has no end. Some platforms don't look. */
async function checkEnd(inflate, length, wrong) {
  if (await seesTheEnd()) return;
  try {
    for await (const chunk of inflate(length - 1)) void chunk;
  } catch (error) {
    if (error.reason === "container-ambiguous") return;
    throw error;
  }
  throw wrong();
}

let seen;

/** Whether this platform refuses bytes behind the end of deflated data. */
function seesTheEnd() {
  const empty = Uint8Array.of(3, 0, 0); // RFC 1951: one block without content, and a byte
  seen ??= (async () => {
    try {
      for await (const chunk of inflated([empty], 0, () => new Error())) void chunk;
      return false;
    } catch {
      return true;
    }
  })();
  return seen;
}
