// Kits: the canonical ZIP and its members (REG-1.0 section 6).
//
// The ZIP is a pure function of its members, so the digest of the sealed kit can be recomputed from a
// delivered one, from a folder, or from any tool's copy of the members. Bytes come from a *source*:
// {size, read(start, end)}, where `read` gives a promise of the bytes that there are.
import { crc32 } from "./crc32.js";
import { compareText, concatBytes, encodeText, equalBytes, formatBase64url, shown, startsWithBytes } from "./encoding.js";
import { VerificationError } from "./errors.js";
import {
  BINDER, DISCLOSURE, MAX_MEMBER_LENGTH, MAX_RECORDS, MAX_RECORDS_LENGTH, README, REGISTRY_RECEIPT, isDisclosedMember,
  isMember, isRecord,
} from "./manifest.js";
import { Sha256 } from "./sha256.js";

export const ZIP_START = Uint8Array.of(0x50, 0x4b, 3, 4);

const LOCAL_LENGTH = 30; // APPNOTE.TXT 4.3.7
const VERSION = 20; // REG-1.0's fixed values: version 20, flags 0, stored, 1980-01-01
const DATE = 0x0021;
const MAX_NAME = 128;
const CHUNK = 1 << 20;
const NOT_KEPT = [README, BINDER];
/** Bytes of all members that are no records; a kit has at most nine. Keeps offsets far below 4 GiB. */
const MAX_OTHERS_LENGTH = 16 * MAX_MEMBER_LENGTH;
const HINT = "unpack it into an empty folder and check the folder instead";

/** A member of a kit: its size in bytes, CRC-32 and SHA-256, and where its content is. */
export class Member {
  constructor(name, size, source, offset) {
    this.name = name;
    this.size = size;
    this.source = source;
    this.offset = offset;
    this.crc32 = 0;
    this.sha256 = "";
  }

  /** The content, up to 1 MiB at a time. Raises `VerificationError` if there is less than there should be. */
  async *chunks() {
    for (let at = 0; at < this.size; ) {
      const start = this.offset + at;
      const chunk = await this.source.read(start, start + Math.min(CHUNK, this.size - at));
      if (!chunk.length) throw notCanonical(`${this.size - at} bytes of a member are missing`);
      at += chunk.length;
      yield chunk;
    }
  }

  /** The content as a whole, for members within their limit. */
  async bytes() {
    const parts = [];
    for await (const chunk of this.chunks()) parts.push(chunk);
    return concatBytes(...parts);
  }
}

/** A kit's members by name, in byte order; `documents` holds the bytes of those that are parsed. */
export class Kit {
  constructor(members, documents, unexpected, ignored) {
    this.members = members;
    this.documents = documents;
    this.unexpected = unexpected;
    this.ignored = ignored;
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

/** The kit in a canonical ZIP, in one pass. Raises `VerificationError` (input-not-a-kit, container-…). */
export async function readZip(source) {
  if (!startsWithBytes(await source.read(0, ZIP_START.length), ZIP_START)) {
    throw notAKit();
  }
  const builder = new KitBuilder(), central = [];
  let offset = 0, last = "";
  for (let header; (header = await readLocal(source, offset)); ) {
    const { name, size } = header;
    if (name <= last) throw notCanonical(`member ${shown(name)} stands behind ${shown(last)}`);
    last = name;
    const content = offset + LOCAL_LENGTH + name.length;
    const member = await builder.add(name, size, source, content);
    if (member.crc32 !== header.crc32) {
      const [found, said] = [member.crc32, header.crc32].map((crc) => crc.toString(16).padStart(8, "0"));
      throw notCanonical(`member ${shown(name)} has CRC-32 ${found}, its header says ${said}`);
    }
    central.push(centralHeader(name, size, header.crc32, offset));
    offset = content + size;
  }
  const expected = directoryOf(central, offset); // the rest is exactly the directory that the members make
  if (!equalBytes(await source.read(offset, offset + expected.length + 1), expected)) {
    throw notCanonical("its directory is not the canonical one, or something follows it");
  }
  return builder.finish();
}

/** What is said of a file that is no ZIP. */
export function notAKit() {
  const message = "neither a folder nor a ZIP file: it does not begin with PK\\3\\4";
  return new VerificationError("input-not-a-kit", message);
}

/** Collects members, holding each against the limits before its content is read. */
export class KitBuilder {
  #members = new Map();
  #documents = new Map();
  #recordsLength = 0;
  #othersLength = 0;

  /** Read one member's content once. Raises `VerificationError` (container-limit-exceeded). */
  async add(name, size, source, offset = 0) {
    this.#checkLimits(name, size);
    const member = new Member(name, size, source, offset);
    const kept = isKept(name) ? [] : null;
    const hash = new Sha256();
    let whole = null;
    for await (const chunk of member.chunks()) {
      member.crc32 = crc32(chunk, member.crc32);
      if (chunk.length === size) whole = await digestByPlatform(chunk);
      if (!whole) hash.update(chunk);
      kept?.push(chunk);
    }
    member.sha256 = formatBase64url(whole ?? hash.digest());
    if (kept) this.#documents.set(name, concatBytes(...kept));
    this.#members.set(name, member);
    return member;
  }

  /** The kit, members in byte order. */
  finish(ignored = []) {
    const names = [...this.#members.keys()].sort(compareText);
    const members = new Map(names.map((name) => [name, this.#members.get(name)]));
    const belongs = members.has(DISCLOSURE) ? isDisclosedMember : isMember;
    return new Kit(members, this.#documents, names.filter((name) => !belongs(name)), ignored);
  }

  #checkLimits(name, size) {
    let limit;
    if (isRecord(name)) {
      limit = MAX_RECORDS_LENGTH - this.#recordsLength;
      this.#recordsLength += size;
    } else {
      limit = Math.min(MAX_MEMBER_LENGTH, MAX_OTHERS_LENGTH - this.#othersLength);
      this.#othersLength += size;
    }
    if (size > limit || this.#members.size >= MAX_RECORDS + 16) {
      throw new VerificationError(
        "container-limit-exceeded",
        `${shown(name)} has ${size} bytes where ${Math.max(limit, 0)} may stand, or is one member too many`,
        [name],
      );
    }
  }
}

/** Whether a member is a document that is parsed. */
function isKept(name) {
  return (isMember(name) || name === DISCLOSURE) && !isRecord(name) && !NOT_KEPT.includes(name);
}

/** SHA-256 by WebCrypto, for what is there as a whole; null where the platform has none. */
async function digestByPlatform(data) {
  const subtle = globalThis.crypto?.subtle;
  return subtle ? new Uint8Array(await subtle.digest("SHA-256", data)) : null;
}

/** Name, size and CRC-32 of the next local header, or null where the central directory begins. */
async function readLocal(source, offset) {
  const read = await source.read(offset, offset + LOCAL_LENGTH + MAX_NAME + 1);
  if (!startsWithBytes(read, ZIP_START)) return null;
  if (read.length < LOCAL_LENGTH) throw notCanonical("it ends within a header");
  const header = new DataView(read.buffer, read.byteOffset, read.length);
  const crc = header.getUint32(14, true), size = header.getUint32(22, true), nameLength = header.getUint16(26, true);
  const raw = read.subarray(LOCAL_LENGTH, LOCAL_LENGTH + nameLength);
  const name = Array.from(raw, (byte) => (byte < 0x80 ? String.fromCharCode(byte) : "\ufffd")).join("");
  if (!/^[\x20-\x7e]*$/.test(name) || name.length > MAX_NAME) throw notCanonical(`member name ${shown(name)}`);
  if (!equalBytes(read.subarray(0, LOCAL_LENGTH + raw.length), localHeader(name, size, crc))) {
    throw notCanonical(`the header of member ${shown(name)} is not the canonical one`);
  }
  return { name, size, crc32: crc };
}

/** Fields in little-endian order; each is [bytes, value]. */
function pack(...fields) {
  const data = new DataView(new ArrayBuffer(fields.reduce((length, [bytes]) => length + bytes, 0)));
  let at = 0;
  for (const [bytes, value] of fields) {
    if (bytes === 2) data.setUint16(at, value, true);
    else data.setUint32(at, value, true);
    at += bytes;
  }
  return new Uint8Array(data.buffer);
}

const nothing = (count) => Array(count).fill([2, 0]);

/** APPNOTE.TXT 4.3.7. */
function localHeader(name, size, crc) {
  const times = [[2, 0], [2, DATE]], lengths = [[4, crc], [4, size], [4, size], [2, name.length], [2, 0]];
  return concatBytes(ZIP_START, pack([2, VERSION], ...nothing(2), ...times, ...lengths), encodeText(name));
}

/** APPNOTE.TXT 4.3.12. */
function centralHeader(name, size, crc, offset) {
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

function notCanonical(detail) {
  return new VerificationError("container-not-canonical", `not the ZIP that was issued (${detail}); ${HINT}`);
}
