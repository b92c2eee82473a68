// C2SP signed notes: text with signature lines; verifier keys; Ed25519 signatures and cosignatures.
//
// Types 0x01 (Ed25519) and 0x04 (timestamped Ed25519 cosignature) are checked; other lines are carried.
import {
  concatBytes, countCharacters, encodeText, equalBytes, formatBase64, formatHex, hashBytes, parseBase64, shown,
} from "./encoding.js";
import { ValueError, malformed } from "./errors.js";
import { KEY_LENGTH, PublicKey, SIGNATURE_LENGTH } from "./keys.js";
import { sha256 } from "./sha256.js";

export const ED25519 = 0x01;
export const COSIGNATURE = 0x04;

const MAX_LENGTH = 1024 * 1024;
/** Signature lines of one note, as REG-1.0 bounds them (C2SP asks for at least 16). */
const MAX_SIGNATURES = 32;

const KEY_ID_LENGTH = 4;
const TIME_LENGTH = 8;
const MAX_TIME = 2n ** 63n - 1n; // C2SP tlog-cosignature
const SIGNATURE_START = "— ";
const CONTROL = /[\x00-\x09\x0b-\x1f\ud800-\udfff]/u; // and lone surrogates, which no UTF-8 holds
// Written out, so that it does not change with the version of Unicode: no White_Space, plus sign, control.
const NAME = /^[^\x00-\x20+\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ud800-\udfff]+$/u;

/** A named public key for one type of signature. */
export class VerifierKey {
  constructor(name, type, publicKey) {
    this.name = name;
    this.type = type;
    this.public = publicKey;
    /** SHA-256(name ‖ 0x0A ‖ type ‖ key) cut to 4 bytes. */
    const material = concatBytes(encodeText(`${name}\n`), Uint8Array.of(type), publicKey.data);
    this.keyId = hashBytes(sha256(material)).slice(0, KEY_ID_LENGTH);
  }

  /** The vkey text: name, key id in hexadecimal, type and key in base64. */
  format() {
    return `${this.name}+${formatHex(this.keyId)}+${formatBase64(concatBytes(Uint8Array.of(this.type), this.public.data))}`;
  }
}

/** A vkey of type 0x01 or 0x04. Raises `ValueError`. */
export function parseVerifierKey(text) {
  const parts = /^([^+]*)\+([^+]*)\+([^]*)$/.exec(text); // base64 may hold a plus sign itself
  if (!parts) throw new ValueError(`${shown(text)} is not a verifier key: name+id+key`);
  const [, name, id, encoded] = parts;
  const data = parseBase64(encoded);
  if (![ED25519, COSIGNATURE].includes(data[0]) || data.length !== 1 + KEY_LENGTH) {
    throw new ValueError(`verifier key ${shown(name)} is not an Ed25519 key of type 1 or 4`);
  }
  const key = new VerifierKey(parseName(name), data[0], new PublicKey(data.slice(1)));
  if (key.format() !== text) {
    throw new ValueError(`verifier key ${shown(name)}: key id ${shown(id)}, wanted ${formatHex(key.keyId)}`);
  }
  return key;
}

/** A signed note with 1 … 32 signature lines: {text, signatures}. Raises `VerificationError` (note-malformed). */
export function parseNote(data) {
  return malformed("note-malformed", "signed note", () => {
    if (countCharacters(data, MAX_LENGTH) > MAX_LENGTH) {
      throw new ValueError(`${countCharacters(data, MAX_LENGTH)} characters, at most ${MAX_LENGTH} are allowed`);
    }
    const found = CONTROL.exec(data);
    if (found) throw new ValueError(`control character ${shown(found[0])} at ${found.index}`);
    const blank = data.lastIndexOf("\n\n");
    if (blank < 0 || !data.endsWith("\n") || blank + 2 === data.length) {
      throw new ValueError("no signature lines behind a blank line");
    }
    const lines = data.slice(blank + 2, -1).split("\n");
    if (lines.length > MAX_SIGNATURES) {
      throw new ValueError(`${lines.length} signature lines, at most ${MAX_SIGNATURES} are allowed`);
    }
    return { text: data.slice(0, blank + 1), signatures: lines.map(parseSignature) };
  });
}

/** The lines that claim to be by `key`: same name and key id. */
export function signaturesBy(note, key) {
  return note.signatures.filter((line) => line.name === key.name && equalBytes(line.keyId, key.keyId));
}

/** Whether `line` is a valid signature of type 0x01 or cosignature of type 0x04 by `key`. */
export async function signatureVerifies(text, line, key) {
  if (key.type === ED25519) {
    return line.data.length === SIGNATURE_LENGTH && key.public.verifies(line.data, encodeText(text));
  }
  const time = cosignatureTime(line);
  // What a cosignature/v1 signs (C2SP tlog-cosignature).
  const cosigned = encodeText(`cosignature/v1\ntime ${time}\n${text}`);
  return time !== null && key.public.verifies(line.data.slice(TIME_LENGTH), cosigned);
}

/** The POSIX seconds (a BigInt) that a cosignature line states, or null if it is not shaped like one. */
export function cosignatureTime(line) {
  if (line.data.length !== TIME_LENGTH + SIGNATURE_LENGTH) return null;
  const time = new DataView(line.data.buffer, line.data.byteOffset).getBigUint64(0);
  return time <= MAX_TIME ? time : null;
}

function parseSignature(line) {
  const parts = (line.startsWith(SIGNATURE_START) ? line.slice(SIGNATURE_START.length) : line).split(" ");
  if (!line.startsWith(SIGNATURE_START) || parts.length !== 2) {
    throw new ValueError(`${shown(line)} is not a signature line`);
  }
  const data = parseBase64(parts[1]);
  if (data.length <= KEY_ID_LENGTH) throw new ValueError(`signature by ${shown(parts[0])} is too short`);
  return { name: parseName(parts[0]), keyId: data.slice(0, KEY_ID_LENGTH), data: data.slice(KEY_ID_LENGTH) };
}

function parseName(name) {
  if (!NAME.test(name)) {
    throw new ValueError(`${shown(name)} is not a key name: no spaces, no plus sign, no control characters`);
  }
  return name;
}
