// An entry of a ZIP: its central and its local header, which say the same (REG-1.0 section 6.8).
import { crc32 } from "./crc32.js";
import { bytesText, concatBytes, equalBytes, startsWithBytes } from "./encoding.js";
import { LOCAL_LENGTH, ZIP_START, ambiguous, centralHeader, localHeader, pack } from "./kit.js";
import { readLarge } from "./zip_frame.js";
import { shownName } from "./zip_names.js";

const CENTRAL_LENGTH = 46;
const CENTRAL_START = Uint8Array.of(0x50, 0x4b, 1, 2), DESCRIPTOR_START = Uint8Array.of(0x50, 0x4b, 7, 8);
const STORED = 0;
export const DEFLATED = 8;
/** Bits 1 and 2 (how well it is packed), 3 (a descriptor follows), 11 (the name is UTF-8). */
const FLAGS = 0b1000_0000_1110;
const DESCRIPTOR = 0b1000;
const ALL_ONES = 0xffffffff;
const ZIP64 = 0x0001, UNICODE_PATH = 0x7075;
/** Extra fields that make a link or an encrypted file of an entry, or a comment. */
const REFUSED = [0x6375, 0x6c78, 0x756e, 0x9901];
/** Unix file types: none stated, a file, a folder. */
const TYPES = [0, 0o100000, 0o040000];
/** Bytes of a ZIP64 field's values: size, compressed size, offset, disk (APPNOTE.TXT 4.5.3). */
const WIDTHS = [8, 8, 8, 4];
/** Stated values that stand for those of a ZIP64 field. */
const ONES = [ALL_ONES, ALL_ONES, ALL_ONES, 0xffff];

const viewOf = (raw) => new DataView(raw.buffer, raw.byteOffset, raw.length);

/** The entries of a central directory. Raises `VerificationError` (container-ambiguous). */
export function readDirectory(directory, count) {
  const entries = [], view = viewOf(directory);
  let at = 0;
  for (let n = 0; n < count; n++) {
    if (directory.length - at < CENTRAL_LENGTH || !startsWithBytes(directory.subarray(at), CENTRAL_START)) {
      throw ambiguous("its directory holds fewer entries than its end record says");
    }
    const [name, extra, comment] = [28, 30, 32].map((place) => view.getUint16(at + place, true));
    const end = at + CENTRAL_LENGTH + name + extra + comment;
    if (end > directory.length) throw ambiguous("its directory ends within an entry");
    if (comment) throw ambiguous("an entry has a comment");
    entries.push(readCentral(directory.subarray(at, end), name));
    at = end;
  }
  if (at !== directory.length) throw ambiguous("its directory holds more than its entries");
  return entries;
}

function readCentral(raw, nameLength) {
  const view = viewOf(raw), name = bytesText(raw.subarray(CENTRAL_LENGTH, CENTRAL_LENGTH + nameLength));
  const [flags, method, statedDisk] = [8, 10, 34].map((at) => view.getUint16(at, true));
  const [crc, attributes] = [16, 38].map((at) => view.getUint32(at, true));
  const extra = readExtra(name, raw.subarray(CENTRAL_LENGTH + nameLength));
  const stated = [...[24, 20, 42].map((at) => view.getUint32(at, true)), statedDisk];
  const [size, compressed, start, disk] = largeValues(name, extra, stated);
  const entry = { name, host: raw[5], flags, method, crc32: crc, compressed, size, start };
  entry.isFolder = name.endsWith("/") || name.endsWith("\\");
  entry.isCanonical = isCanonical(raw, entry);
  checkCentral(entry, attributes, disk);
  return entry;
}

function isCanonical(raw, { name, size, crc32: crc, start }) {
  const small = !/[^\x00-\x7f]/.test(name) && Math.max(size, start) < ALL_ONES;
  return small && equalBytes(raw, centralHeader(name, size, crc, start));
}

function checkCentral(entry, attributes, disk) {
  const { name, flags, method, size, compressed, isFolder } = entry, kind = (attributes >>> 16) & 0o170000;
  if (![STORED, DEFLATED].includes(method) || flags & ~FLAGS) {
    throw ambiguous(`${shownName(name)} has method ${method} and flags 0x${flags.toString(16).padStart(4, "0")}`);
  }
  if (disk || !TYPES.includes(kind) || attributes & 0x08) {
    throw ambiguous(`${shownName(name)} is a link, a device, or on another disk`);
  }
  if (method === STORED && size !== compressed) throw ambiguous(`${shownName(name)} is stored and has two sizes`);
  if (!isFolder && (attributes & 0x10 || kind === 0o040000)) {
    throw ambiguous(`${shownName(name)} is a folder by its attributes, and a file by its name`);
  }
  if (isFolder && (size || entry.crc32 || kind === 0o100000)) {
    throw ambiguous(`${shownName(name)} is a folder by its name, and a file by its header`);
  }
}

/** {start, isCanonical}: where the entry's data is. `end`: where the next entry or the directory begins. */
export async function readPlace(source, entry, end) {
  const raw = await source.read(entry.start, entry.start + LOCAL_LENGTH), shown = shownName(entry.name);
  if (raw.length < LOCAL_LENGTH || !startsWithBytes(raw, ZIP_START)) {
    throw ambiguous(`${shown} has no local header where its entry says`);
  }
  const view = viewOf(raw);
  const [flags, method, nameLength, extraLength] = [6, 8, 26, 28].map((at) => view.getUint16(at, true));
  const content = entry.start + LOCAL_LENGTH + nameLength + extraLength;
  const rest = await source.read(entry.start + LOCAL_LENGTH, content);
  if (bytesText(rest.subarray(0, nameLength)) !== entry.name || flags !== entry.flags || method !== entry.method) {
    throw ambiguous(`the local header of ${shown} has another name, method or flags`);
  }
  if (content + entry.compressed > end) throw ambiguous(`${shown} overlaps with what follows it`);
  const extra = readExtra(entry.name, rest.subarray(nameLength));
  checkLocal(entry, extra, [14, 18, 22].map((at) => view.getUint32(at, true)));
  const after = content + entry.compressed, gap = end - after;
  if (entry.flags & DESCRIPTOR) {
    checkDescriptor(entry, await source.read(after, after + Math.min(gap, 25)), Boolean(extra.get(ZIP64)?.length));
  } else if (gap) {
    throw ambiguous(`${gap} bytes follow ${shown}`);
  }
  const whole = concatBytes(raw, rest);
  return {
    start: content,
    isCanonical: entry.isCanonical && equalBytes(whole, localHeader(entry.name, entry.size, entry.crc32)),
  };
}

function checkLocal(entry, extra, [crc, statedCompressed, statedSize]) {
  let compressed = statedCompressed, size = statedSize;
  const follows = Boolean(entry.flags & DESCRIPTOR), isLarge = extra.has(ZIP64);
  if (isLarge) {
    const real = [entry.size, entry.compressed, entry.start, 0];
    for (const [n, value] of zip64Values(entry.name, extra.get(ZIP64), [size, compressed, 0, 0])) {
      if (value !== real[n] && !(follows && value === 0)) throw otherValue(entry.name);
    }
    if (size === ALL_ONES) size = entry.size;
    if (compressed === ALL_ONES) compressed = entry.compressed;
  }
  const isOther = (value) => !follows || (value !== 0 && (isLarge || value !== ALL_ONES));
  const pairs = [[crc, entry.crc32], [compressed, entry.compressed], [size, entry.size]];
  if (pairs.some(([local, central]) => local !== central && isOther(local))) {
    throw ambiguous(`the local header of ${shownName(entry.name)} has another size or CRC-32`);
  }
}

/** Check the data descriptor (APPNOTE.TXT 4.3.9): with or without its mark, of 4 or 8 bytes a size. */
function checkDescriptor(entry, raw, isLarge) {
  const width = isLarge || raw.length >= 20 ? 8 : 4;
  const content = pack([4, entry.crc32], [width, entry.compressed], [width, entry.size]);
  if (![content, concatBytes(DESCRIPTOR_START, content)].some((right) => equalBytes(raw, right))) {
    throw ambiguous(`what follows ${shownName(entry.name)} is not its data descriptor`);
  }
}

/** The extra fields by their numbers; of those that may occur twice, one. */
function readExtra(name, raw) {
  const fields = new Map(), view = viewOf(raw);
  for (let at = 0; at < raw.length; ) {
    const [number, length] = raw.length - at >= 4
      ? [view.getUint16(at, true), view.getUint16(at + 2, true)]
      : [0, raw.length];
    const data = raw.subarray(at + 4, at + 4 + length);
    const isAgain = [ZIP64, UNICODE_PATH].includes(number) && fields.has(number);
    if (data.length !== length || REFUSED.includes(number) || isAgain) {
      throw ambiguous(`an extra field of ${shownName(name)} is cut, refused or there twice`);
    }
    fields.set(number, data);
    at += 4 + length;
  }
  const path = fields.get(UNICODE_PATH);
  if (path && !repeats(path, name)) throw ambiguous(`${shownName(name)} has a second name`);
  return fields;
}

/** Whether a Unicode path field (APPNOTE.TXT 4.6.9) repeats the name, in whichever encoding that is. */
function repeats(data, name) {
  const checksum = crc32(Uint8Array.from(name, (character) => character.charCodeAt(0)));
  return startsWithBytes(data, pack([1, 1], [4, checksum])) && outline(bytesText(data.subarray(5))) === outline(name);
}

/** A name in which each run of bytes beyond ASCII is one, for its encoding is not known. */
function outline(name) {
  return name.replace(/[\x80-\xff]+/g, "\xff");
}

/** Size, compressed size, offset and disk, each out of the ZIP64 field where it is all ones. */
function largeValues(name, extra, stated) {
  const values = [...stated];
  for (const [n, value] of zip64Values(name, extra.get(ZIP64) ?? new Uint8Array(), stated)) {
    if (stated[n] !== value && stated[n] !== ONES[n]) throw otherValue(name);
    values[n] = value;
  }
  return values;
}

/** The values of the field by their place: of those stated as all ones, or of the first ones in order. */
function zip64Values(name, data, stated) {
  const needed = [0, 1, 2, 3].filter((n) => stated[n] === ONES[n]);
  const choices = [needed, [0], [0, 1], [0, 1, 2], [0, 1, 2, 3]];
  const held = choices.find((places) => places.reduce((sum, n) => sum + WIDTHS[n], 0) === data.length);
  if (!held || !needed.every((n) => held.includes(n))) {
    throw ambiguous(`the ZIP64 field of ${shownName(name)} does not hold the values it should`);
  }
  const values = new Map(), view = viewOf(data);
  let at = 0;
  for (const n of held) {
    values.set(n, WIDTHS[n] === 8 ? readLarge(view, at) : view.getUint32(at, true));
    at += WIDTHS[n];
  }
  if ([...values.values()].some(Number.isNaN)) throw otherValue(name);
  return values;
}

function otherValue(name) {
  return ambiguous(`the ZIP64 field of ${shownName(name)} has another value than its header`);
}
