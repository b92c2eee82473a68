// Canonical JSON (RFC 8785, JCS) in and out, and the shape of what was read.
//
// A hashed or signed document is stored as its canonical bytes, so a parser takes bytes only if
// formatting what it read gives them back. The profile is narrower than RFC 8785: integers only,
// ASCII member names, depth at most 16 (REG-1.0 section 2).
import {
  MAX_INTEGER, compareText, decodeText, encodeText, parseHash, parseTime, shown,
} from "./encoding.js";
import { ValueError, VerificationError } from "./errors.js";

export const MAX_DEPTH = 16;
/** Bytes of the largest document: the limit of a kit member that is no record. */
export const MAX_LENGTH = 16 * 1024 * 1024;

/** Member names that a message shows, more than any document has. */
const MAX_LISTED = 16;

const SCHEMA = /^attestlayer\/([a-z-]+)\/(?:[2-9]|[1-9][0-9]{1,8})$/;
const ASCII = /^[\x00-\x7f]*$/;
const LONE_SURROGATE = /[\ud800-\udfff]/u;

/** The canonical text of a value. Raises `ValueError` on what the profile refuses. */
function formatValue(value, depth) {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") return formatNumber(value);
  if (typeof value === "string") return formatString(value);
  if (depth > MAX_DEPTH) throw tooDeep();
  if (Array.isArray(value)) return `[${value.map((item) => formatValue(item, depth + 1)).join(",")}]`;
  // In the order of names, whatever order they came in: every verifier finds the same fault first.
  const names = Object.keys(value).sort();
  const foreign = names.filter((name) => !ASCII.test(name)).sort(compareText);
  if (foreign.length) throw new ValueError(`member name ${shown(foreign[0])} is not ASCII`);
  return `{${names.map((name) => `${JSON.stringify(name)}:${formatValue(value[name], depth + 1)}`).join(",")}}`;
}

function formatNumber(value) {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new ValueError(`a number is not an integer from 0 to ${MAX_INTEGER}`);
  }
  return String(value);
}

function formatString(value) {
  const surrogate = LONE_SURROGATE.exec(value);
  if (surrogate) throw new ValueError(`a lone surrogate, ${shown(surrogate[0])}, is not text`);
  return JSON.stringify(value); // ECMA-262's QuoteJSONString is RFC 8785 section 3.2.2.2
}

const tooDeep = () => new ValueError(`nested deeper than ${MAX_DEPTH}`);

/** The canonical bytes of `value`. */
export function formatJson(value) {
  return encodeText(formatValue(value, 1));
}

/**
 * The value whose canonical bytes are exactly `data`. Raises `ValueError`.
 *
 * Of several faults every verifier names the same one: length, UTF-8, depth, JSON, profile, canonical form.
 */
export function parseJson(data, limit = MAX_LENGTH) {
  if (data.length > limit) throw new ValueError(`${data.length} bytes, at most ${limit} are allowed`);
  const text = decodeText(data);
  let value, canonical;
  try {
    value = load(text);
    canonical = formatJson(value);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    throw isNestedTooDeep(text) ? tooDeep() : error; // brackets left open too
  }
  // A member that occurs twice, a number in another spelling, a space: none comes out as it went in.
  const at = partingOf(data, canonical);
  if (at !== null) throw new ValueError(`not canonical JSON (RFC 8785) from byte ${at} on`);
  return value;
}

function load(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new ValueError("not JSON"); // where and why differs between browsers
  }
}

/** Whether more than `MAX_DEPTH` brackets outside strings are open at once, JSON or not. */
function isNestedTooDeep(text) {
  let depth = 0, inString = false;
  for (let at = 0; at < text.length; at++) {
    const mark = text[at];
    if (inString && mark === "\\") at += 1; // what it escapes ends no string
    else if (mark === '"') inString = !inString;
    else if (!inString && (mark === "[" || mark === "{")) depth += 1;
    else if (!inString && (mark === "]" || mark === "}")) depth -= 1;
    if (depth > MAX_DEPTH) return true;
  }
  return false;
}

/** The first byte at which two texts part, or null. */
function partingOf(one, other) {
  const length = Math.min(one.length, other.length);
  for (let at = 0; at < length; at++) if (one[at] !== other[at]) return at;
  return one.length === other.length ? null : length;
}

export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function listed(names) {
  const more = names.length > MAX_LISTED ? [`${names.length - MAX_LISTED} more`] : [];
  return [...[...names].sort().slice(0, MAX_LISTED).map((name) => shown(name)), ...more].join(", ");
}

/** `value` as an object with exactly the members `names`. */
export function takeObject(value, names) {
  if (!isObject(value)) throw new ValueError(`found ${shown(value)}, wanted an object with ${listed(names)}`);
  const missing = names.filter((name) => !Object.hasOwn(value, name));
  const unknown = Object.keys(value).filter((name) => !names.includes(name));
  if (missing.length || unknown.length) {
    const parts = [];
    if (missing.length) parts.push(`missing ${listed(missing)}`);
    if (unknown.length) parts.push(`unknown ${listed(unknown)}`);
    throw new ValueError(`members: ${parts.join(", ")}`);
  }
  return value;
}

/**
 * `value` as an object with `schema` `attestlayer/<name>/1` and exactly the members `names`.
 * Raises `VerificationError` (schema-newer) if the schema is this one with a larger number.
 */
export function takeDocument(value, name, names) {
  checkSchema(value, name);
  return takeObject(value, ["schema", ...names]);
}

/** Check the `schema` member alone, as `takeDocument` does. */
export function checkSchema(value, name) {
  const schema = isObject(value) && Object.hasOwn(value, "schema") ? value.schema : null;
  const wanted = `attestlayer/${name}/1`;
  if (schema === wanted) return;
  if (typeof schema === "string" && SCHEMA.exec(schema)?.[1] === name) {
    throw new VerificationError("schema-newer", `${schema} is newer than this verifier, which knows ${wanted}`);
  }
  throw new ValueError(`schema: found ${shown(schema)}, wanted '${wanted}'`);
}

/** Member `name` as a string. */
export function takeString(members, name) {
  const value = members[name];
  if (typeof value !== "string") throw new ValueError(`${name}: found ${shown(value)}, wanted a string`);
  return value;
}

/** Member `name`, a string, as `parse` reads it. */
export function takeValue(members, name, parse) {
  const text = takeString(members, name);
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof ValueError) throw new ValueError(`${name}: ${error.message}`);
    throw error;
  }
}

/** Member `name` as `parse` reads it, or null where it is null. */
export function takeOptional(members, name, parse) {
  return members[name] === null ? null : takeValue(members, name, parse);
}

/** Member `name` as a SHA-256 value. */
export function takeHash(members, name) {
  return takeValue(members, name, parseHash);
}

/** Member `name` as a time, in POSIX seconds. */
export function takeTime(members, name) {
  return takeValue(members, name, parseTime);
}

/** Member `name` as an integer 0 … `maximum`. */
export function takeInteger(members, name, maximum = MAX_INTEGER) {
  const value = members[name];
  if (!Number.isSafeInteger(value) || value < 0 || value > maximum) {
    throw new ValueError(`${name}: found ${shown(value)}, wanted an integer from 0 to ${maximum}`);
  }
  return value;
}

/** Member `name` as an array. */
export function takeArray(members, name) {
  const value = members[name];
  if (!Array.isArray(value)) throw new ValueError(`${name}: found ${shown(value)}, wanted an array`);
  return value;
}

/** Member `name`, which must be the string `wanted`. */
export function takeConstant(members, name, wanted) {
  if (members[name] !== wanted) {
    throw new ValueError(`${name}: found ${shown(members[name])}, wanted ${shown(wanted)}`);
  }
  return wanted;
}

/** Member `name`, one word of a closed list. */
export function takeWord(members, name, words) {
  const text = takeString(members, name);
  if (!words.includes(text)) {
    throw new ValueError(`${name}: found ${shown(text)}, wanted one of ${[...words].sort().join(", ")}`);
  }
  return text;
}

/** Whether two values are the same JSON. */
export function equalJson(one, other) {
  return formatValue(one, 1) === formatValue(other, 1);
}
