// Strict text encodings: decimal numbers, base64, hashes, times, identifiers.
//
// Each value has exactly one spelling: a parser formats what it read and compares.
import { ValueError } from "./errors.js";

export const HASH_LENGTH = 32;
/** The largest integer that every JSON implementation keeps (RFC 8785 section 3.2.2.3). */
export const MAX_INTEGER = Number.MAX_SAFE_INTEGER;

const ORIGIN_MAX = 255; // bytes; C2SP tlog-cosignature's one-byte length
const MAX_TIME = 253402300799; // 9999-12-31T23:59:59Z

const DECIMAL = /^(?:0|[1-9][0-9]{0,18})$/;
const TIME = /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})Z$/;
const ORIGIN = /^[a-z0-9.-]+(?:\/[a-z0-9._-]+)*$/;
const LANE = /^[A-Z][A-Z0-9]{1,15}(?:-[0-9]{2})?$/;
const PROFILE = /^[a-z][a-z0-9-]{1,47}$/;
const KIT_ID = /^kit_[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const BASE64URL = /^[A-Za-z0-9_-]*$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

const encoder = new TextEncoder();

/** UTF-8. The text must hold no lone surrogate. */
export function encodeText(text) {
  return encoder.encode(text);
}

/** Text from UTF-8, a byte order mark kept. Raises `ValueError`. */
export function decodeText(data) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    throw new ValueError(`not UTF-8 at byte ${firstBadByte(data)}`);
  }
}

/** Where the first sequence begins that is not UTF-8 (Unicode, table 3-7): the offset that Python names. */
function firstBadByte(data) {
  for (let at = 0; at < data.length;) {
    const length = sequenceLength(data, at);
    if (!length) return at;
    at += length;
  }
  return data.length;
}

/** Bytes of the well-formed sequence at an offset, or 0. */
function sequenceLength(data, at) {
  const first = data[at];
  if (first < 0x80) return 1;
  const length = first >= 0xc2 && first <= 0xdf ? 2 : first >= 0xe0 && first <= 0xef ? 3 : first >= 0xf0 && first <= 0xf4 ? 4 : 0;
  const low = { 0xe0: 0xa0, 0xf0: 0x90 }[first] ?? 0x80, high = { 0xed: 0x9f, 0xf4: 0x8f }[first] ?? 0xbf;
  if (!(data[at + 1] >= low && data[at + 1] <= high)) return 0;
  for (let next = 2; next < length; next++) if ((data[at + next] & 0xc0) !== 0x80) return 0;
  return length;
}

/** Bytes, each as one character, for searching and comparing. */
export function bytesText(data) {
  let text = "";
  for (let at = 0; at < data.length; at += 0x2000) text += String.fromCharCode(...data.subarray(at, at + 0x2000));
  return text;
}

/** A name from its bytes (each as one character), those that are no UTF-8 as U+DC80 to U+DCFF, as Python has them. */
export function decodeName(name) {
  if (!/[^\x00-\x7f]/.test(name)) return name;
  const data = Uint8Array.from(name, (character) => character.charCodeAt(0));
  let text = "";
  for (let at = 0; at < data.length; ) {
    const length = lengthOfCharacter(data, at);
    text += length ? strict.decode(data.subarray(at, at + length)) : String.fromCharCode(0xdc00 + data[at]);
    at += length || 1;
  }
  return text;
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** The least and the greatest second byte after a first one for which not every one is right (RFC 3629 section 4). */
const SECONDS = { 0xe0: [0xa0, 0xbf], 0xed: [0x80, 0x9f], 0xf0: [0x90, 0xbf], 0xf4: [0x80, 0x8f] };

/** Bytes of the UTF-8 character that begins there; 0 if none does. */
function lengthOfCharacter(data, at) {
  const first = data[at];
  if (first < 0x80) return 1;
  const length = first < 0xc2 || first > 0xf4 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  const [least, greatest] = SECONDS[first] ?? [0x80, 0xbf];
  if (!(data[at + 1] >= least && data[at + 1] <= greatest)) return 0;
  for (let n = 2; n < length; n++) {
    if ((data[at + n] & 0xc0) !== 0x80) return 0; // also where there is none
  }
  return length;
}

/** The sort key of names: their bytes, each as one character; the inverse of `decodeName`. */
export function byteOrder(name) {
  if (!/[^\x00-\x7f]/.test(name)) return name;
  let key = "";
  for (const character of name) {
    const code = character.codePointAt(0);
    if (code >= 0xdc80 && code <= 0xdcff) key += String.fromCharCode(code - 0xdc00);
    else key += bytesText(encoder.encode(character));
  }
  return key;
}

/** The order of bytes, each as one character. */
export function compareBytes(one, other) {
  return one < other ? -1 : Number(one > other);
}

export function concatBytes(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function equalBytes(one, other) {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

export function startsWithBytes(data, start) {
  return data.length >= start.length && start.every((byte, at) => byte === data[at]);
}

export function formatHex(data) {
  return Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Text order by code points, which is also the byte order of UTF-8. JavaScript's own is by UTF-16 units. */
export function compareText(one, other) {
  const a = one[Symbol.iterator](), b = other[Symbol.iterator]();
  for (;;) {
    const x = a.next(), y = b.next();
    if (x.done || y.done) return (y.done ? 1 : 0) - (x.done ? 1 : 0);
    if (x.value !== y.value) return x.value.codePointAt(0) - y.value.codePointAt(0);
  }
}

/** Characters of a text, counted as code points; exact only where it matters, at `limit` and above. */
export function countCharacters(text, limit) {
  return text.length <= limit ? text.length : Array.from(text).length;
}

const SHORT_ESCAPES = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
const IGNORABLE = new Set([0x034f, 0x115f, 0x1160, 0x17b4, 0x17b5, 0x3164, 0xffa0]);
const MOST_MARKS = 4;

const isSelector = (code) =>
  (code >= 0xfe00 && code <= 0xfe0f) || (code >= 0x180b && code <= 0x180f) || (code >= 0xe0100 && code <= 0xe01ef);
const isJoiner = (character) => character === "\u200c" || character === "\u200d";
const isMark = (character) => /^[\p{Mn}\p{Me}]$/u.test(character);
const joins = (character) => character > "\x7f" && /^[\p{L}\p{M}\p{S}]$/u.test(character);

function escape(character) {
  const code = character.codePointAt(0);
  if (character in SHORT_ESCAPES) return SHORT_ESCAPES[character];
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
}

function isHidden(character) {
  const code = character.codePointAt(0);
  return IGNORABLE.has(code) || isSelector(code) || /^[\p{C}\p{Zl}\p{Zp}]$/u.test(character);
}

/** Whether the character is seen between its neighbours; each is empty if it is none or not seen. */
function isSeen(character, before, after) {
  if (isJoiner(character)) return joins(before) && joins(after);
  if (isSelector(character.codePointAt(0))) return /^[\p{Lo}\p{So}]$/u.test(before);
  // A mark with nothing to stand on would stand on our own quote.
  if (isMark(character)) return before !== "" && before !== " " && before !== "\u3000" && !isHidden(character);
  return character === " " || character === "\u3000" || !(/^\p{Zs}$/u.test(character) || isHidden(character));
}

/**
 * `text` with everything escaped that is not seen or could turn the line round; people's scripts as they are written.
 * The twin of attestlayer.visible, so that messages are the same words everywhere.
 */
export function visible(text) {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  const characters = Array.from(text);
  let out = "", before = "", marks = 0;
  characters.forEach((character, at) => {
    marks = isMark(character) ? marks + 1 : 0;
    const seen = isSeen(character, before, characters[at + 1] ?? "") && marks <= MOST_MARKS;
    out += seen ? character : escape(character);
    before = seen ? character : "";
  });
  return out;
}

/** A text without a limit, quoted as Python's `repr` does it, and visible. */
export function quoted(text) {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  return quote + visible(text.replaceAll("\\", "\\\\").replaceAll(quote, `\\${quote}`)) + quote;
}

/** Bytes as Python's `repr` spells them: ASCII as it is, others by number. */
function quotedBytes(bytes) {
  const text = quoted(String.fromCharCode(...bytes));
  return `b${text.replace(/[\x80-\xff]/g, escape)}`;
}

/** The parts of a value's spelling in Python, with strings made visible and cut after `limit`. */
function* parts(value, limit) {
  if (typeof value === "string") yield quoted(cut(value, limit + 1));
  else if (value === null || value === undefined) yield "None";
  else if (typeof value === "boolean") yield value ? "True" : "False";
  else if (value instanceof Uint8Array) yield quotedBytes(value.subarray(0, limit + 1));
  else if (typeof value === "object") yield* partsOfMany(value, limit);
  else yield String(value);
}

function* partsOfMany(value, limit) {
  const isArray = Array.isArray(value);
  yield isArray ? "[" : "{";
  let comma = "";
  // Python has members in the order of names; JavaScript lists integer-like ones first.
  for (const name of isArray ? value.keys() : Object.keys(value).sort()) {
    yield isArray ? comma : `${comma}${quoted(cut(name, limit))}: `;
    yield* parts(value[name], limit);
    comma = ", ";
  }
  yield isArray ? "]" : "}";
}

/** The first characters of a text, counted as code points. */
const cut = (text, limit) => Array.from(text.slice(0, 2 * limit)).slice(0, limit).join("");

/** A value as an error message shows it: quoted, escaped, cut short. */
export function shown(value, limit = 80) {
  if (typeof value === "string" && countCharacters(value, limit) > limit) {
    return `${quoted(cut(value, limit))}… (${countCharacters(value, limit)} characters)`;
  }
  let text = "";
  for (const part of parts(value, limit)) {
    text += part;
    if (typeof value !== "string" && countCharacters(text, limit) > limit) return `${cut(text, limit)}…`;
  }
  return text;
}

/** A decimal integer 0 … `maximum`: ASCII digits, no sign, no leading zero. */
export function parseDecimal(text, maximum = MAX_INTEGER) {
  if (!DECIMAL.test(text) || BigInt(text) > BigInt(maximum)) {
    throw new ValueError(`${shown(text)} is not a decimal integer from 0 to ${maximum}`);
  }
  return Number(text);
}

/** Standard base64 with padding (RFC 4648 section 4), as C2SP texts use it. */
export function formatBase64(data) {
  let text = "";
  for (let at = 0; at < data.length; at += 0x6000) {
    text += btoa(String.fromCharCode(...data.subarray(at, at + 0x6000)));
  }
  return text;
}

/** base64url without padding (RFC 4648 section 5). */
export function formatBase64url(data) {
  return formatBase64(data).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function decodeBase64(text) {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return new Uint8Array(0);
  }
}

/** `length` bytes from canonical base64url without padding. */
export function parseBase64url(text, length) {
  const standard = text.replaceAll("-", "+").replaceAll("_", "/");
  const data = BASE64URL.test(text) ? decodeBase64(standard) : new Uint8Array(0);
  if (data.length !== length || formatBase64url(data) !== text) {
    throw new ValueError(`${shown(text)} is not ${length} bytes in unpadded base64url`);
  }
  return data;
}

/** Bytes from canonical standard base64 with padding. */
export function parseBase64(text) {
  const data = BASE64.test(text) ? decodeBase64(text) : new Uint8Array(0);
  if (data.length === 0 || formatBase64(data) !== text) {
    throw new ValueError(`${shown(text)} is not canonical base64 with padding`);
  }
  return data;
}

/** A SHA-256 value from its 43 characters: kept as these, its one spelling, so that `===` compares. */
export function parseHash(text) {
  parseBase64url(text, HASH_LENGTH);
  return text;
}

/** The 32 bytes of a hash. */
export function hashBytes(hash) {
  return parseBase64url(hash, HASH_LENGTH);
}

/** RFC 3339 UTC, whole seconds: `2026-01-31T23:59:59Z`. `seconds` are POSIX seconds. */
export function formatTime(seconds) {
  if (seconds > MAX_TIME) throw new ValueError("year 10000 is out of range");
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
}

/** POSIX seconds from RFC 3339 UTC, whole seconds 00–59, a date from 1970 to 9999 that exists. */
export function parseTime(text) {
  const match = TIME.exec(text);
  const [year, month, day, hour, minute, second] = match ? match.slice(1).map(Number) : [];
  const seconds = match && year >= 1970 ? Date.UTC(year, month - 1, day, hour, minute, second) / 1000 : NaN;
  if (!(seconds <= MAX_TIME) || formatTime(seconds) !== text) {
    throw new ValueError(`${shown(text)} is not a time like 2026-01-31T23:59:59Z`);
  }
  return seconds;
}

/** A registry's origin: its host and path without a scheme, at most 255 bytes. */
export function parseOrigin(text) {
  if (text.length > ORIGIN_MAX || !ORIGIN.test(text)) {
    throw new ValueError(`${shown(text)} is not an origin like registry.example.org`);
  }
  return text;
}

/** A lane, such as `PAY-01`. */
export function parseLaneId(text) {
  return matching(LANE, text, "a lane like PAY-01");
}

/** A profile of a lane, such as `wire-transfer`. */
export function parseProfileId(text) {
  return matching(PROFILE, text, "a profile like wire-transfer");
}

/** `kit_` and a ULID in Crockford's base32. */
export function parseKitId(text) {
  return matching(KIT_ID, text, "a kit id like kit_01J9ZX3A8B5C6D7E8F9GAHBKCM");
}

function matching(pattern, text, wanted) {
  if (!pattern.test(text)) throw new ValueError(`${shown(text)} is not ${wanted}`);
  return text;
}
