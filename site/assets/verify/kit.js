// Kits: the canonical ZIP and its members (REG-1.0 section 6).
//
// The ZIP is a pure function of its members, so the digest of the sealed kit can be recomputed from a
// delivered one, from a folder, or from any tool's copy of the members.
import { crc32 } from "./crc32.js";
import { concatBytes, encodeText, formatBase64url } from "./encoding.js";
import { VerificationError } from "./errors.js";
import { BINDER, DISCLOSURE, MAX_RECORDS_LENGTH, README, REGISTRY_RECEIPT, isRecord, memberLimit } from "./manifest.js";
import { Sha256 } from "./sha256.js";

export const ZIP_START = Uint8Array.of(0x50, 0x4b, 3, 4);

export const LOCAL_LENGTH = 30; // APPNOTE.TXT 4.3.7
const VERSION = 20; // REG-1.0's fixed values: version 20, flags 0, stored, 2000-01-01
const DATE = 0x2821; // years since 1980, month, day. A time of 1980 is refused by some packers
const CHUNK = 1 << 20;
const NOT_KEPT = [README, BINDER];
const HINT = "unpack it into an empty folder and check the folder instead";

/** A member of a kit: its size in bytes, CRC-32 and SHA-256, and its content. */
export class Member {
  #file;

  constructor(name, file) {
    this.name = name;
    this.size = file.size;
    this.crc32 = 0;
    this.sha256 = "";
    this.#file = file;
  }

  /** The content, up to 1 MiB at a time. Raises `VerificationError` if there is less than there should be. */
  async *chunks() {
    let left = this.size;
    for await (const chunk of this.#file.chunks()) {
      left -= chunk.length;
      yield chunk;
    }
    if (left) throw new VerificationError("input-unreadable", `${this.name} was changed while it was read`, [this.name]);
  }

  /** The content as a whole, for members within their limit. */
  async bytes() {
    const parts = [];
    for await (const chunk of this.chunks()) parts.push(chunk);
    return concatBytes(...parts);
  }
}

/** Bytes of a source, up to `piece` at a time, and fewer where the source ends. */
export async function* piecesOf(source, start, length, piece = CHUNK) {
  for (let at = 0; at < length; ) {
    const data = await source.read(start + at, start + Math.min(at + piece, length));
    if (!data.length) return;
    at += data.length;
    yield data;
  }
}

/**
 * A kit's members by name, in byte order; `documents` holds the bytes of those that are parsed.
 *
 * `unexpected`: names that no kit has, never read. `ignored`: what systems leave in folders and ZIPs.
 * `isRepacked`: it came as a ZIP that is not the canonical one of these members.
 */
export class Kit {
  constructor(members, documents, unexpected, ignored, isRepacked) {
    this.members = members;
    this.documents = documents;
    this.unexpected = unexpected;
    this.ignored = ignored;
    this.isRepacked = isRepacked;
  }

  /** Whether this is no kit but a disclosed record: one record of a kit with its proofs. */
  get isDisclosure() {
    return this.members.has(DISCLOSURE);
  }

  /** SHA-256 of the canonical ZIP of all members but the registry receipt: `kit_digest`. */
  async sealedDigest() {
    const hash = new Sha256(), central = [];
    let offset = 0;
    for (const member of this.members.values()) {
      if (member.name === REGISTRY_RECEIPT) continue;
      central.push(centralHeader(member.name, member.size, member.crc32, offset));
      hash.update(localHeader(member.name, member.size, member.crc32));
      for await (const chunk of member.chunks()) hash.update(chunk);
      offset += LOCAL_LENGTH + member.name.length + member.size;
    }
    return formatBase64url(hash.update(directoryOf(central, offset)).digest());
  }
}

/** The kit that contents are, each member read once, in byte order, after all were compared with the limits. */
export async function collect(contents, isRepacked = false) {
  checkLimits(contents.members);
  const members = new Map(), documents = new Map();
  for (const [name, file] of contents.members) {
    const { member, data } = await readMember(name, file);
    members.set(name, member);
    if (data) documents.set(name, data);
  }
  return new Kit(members, documents, contents.unexpected, contents.ignored, isRepacked);
}

/** Compare stated sizes with the limits, before anything is read (REG-1.0 section 6.2). */
function checkLimits(members) {
  let records = 0;
  for (const [name, { size }] of members) {
    let found = size, limit = memberLimit(name), message = `${name} has more than the ${limit} bytes that are allowed`;
    if (isRecord(name)) {
      records += size;
      [found, limit] = [records, MAX_RECORDS_LENGTH];
      message = `with ${name} the records have more than the ${limit} bytes that are allowed in all`;
    }
    if (found > limit) throw new VerificationError("container-limit-exceeded", message, [name]);
  }
}

/** One member, and its content if it is a document that is parsed. */
async function readMember(name, file) {
  const kept = isRecord(name) || NOT_KEPT.includes(name) ? null : [], hash = new Sha256();
  const member = new Member(name, file);
  let whole = null;
  for await (const chunk of member.chunks()) {
    member.crc32 = crc32(chunk, member.crc32);
    if (chunk.length === file.size) whole = await digestByPlatform(chunk);
    if (!whole) hash.update(chunk);
    kept?.push(chunk);
  }
  await file.checkEnd?.();
  if (file.crc32 !== undefined && file.crc32 !== member.crc32) {
    const [found, stated] = [member.crc32, file.crc32].map((crc) => crc.toString(16).padStart(8, "0"));
    throw ambiguous(`${name} has CRC-32 ${found}, its header says ${stated}`);
  }
  member.sha256 = formatBase64url(whole ?? hash.digest());
  return { member, data: kept && concatBytes(...kept) };
}

/** The error of a ZIP that two readers could read differently. */
export function ambiguous(detail) {
  const message = `the ZIP can be read in more than one way (${detail}); ${HINT}`;
  return new VerificationError("container-ambiguous", message);
}

/** SHA-256 by WebCrypto, for what is there as a whole; null where the platform has none. */
async function digestByPlatform(data) {
  const subtle = globalThis.crypto?.subtle;
  return subtle ? new Uint8Array(await subtle.digest("SHA-256", data)) : null;
}

/** Fields in little-endian order; each is [bytes, value]. */
export function pack(...fields) {
  const data = new DataView(new ArrayBuffer(fields.reduce((length, [bytes]) => length + bytes, 0)));
  let at = 0;
  for (const [bytes, value] of fields) {
    if (bytes === 1) data.setUint8(at, value);
    else if (bytes === 2) data.setUint16(at, value, true);
    else if (bytes === 4) data.setUint32(at, value, true);
    else data.setBigUint64(at, BigInt(value), true);
    at += bytes;
  }
  return new Uint8Array(data.buffer);
}

const nothing = (count) => Array(count).fill([2, 0]);

/** APPNOTE.TXT 4.3.7. */
export function localHeader(name, size, crc) {
  const times = [[2, 0], [2, DATE]], lengths = [[4, crc], [4, size], [4, size], [2, name.length], [2, 0]];
  return concatBytes(ZIP_START, pack([2, VERSION], ...nothing(2), ...times, ...lengths), encodeText(name));
}

/** APPNOTE.TXT 4.3.12. */
export function centralHeader(name, size, crc, offset) {
  const start = [[2, 0x4b50], [2, 0x0201], [2, VERSION], [2, VERSION], ...nothing(2), [2, 0], [2, DATE]];
  const lengths = [[4, crc], [4, size], [4, size], [2, name.length]];
  return concatBytes(pack(...start, ...lengths, ...nothing(4), [4, 0], [4, offset]), encodeText(name));
}

/** The central directory and APPNOTE.TXT 4.3.16. */
function directoryOf(central, offset) {
  const directory = concatBytes(...central), count = [2, central.length];
  const end = [[2, 0x4b50], [2, 0x0605], ...nothing(2), count, count, [4, directory.length], [4, offset], [2, 0]];
  return concatBytes(directory, pack(...end));
}
