// C2SP signed notes, verifier keys, Ed25519 signatures and cosignatures; C2SP witness policies.
//
// Types 0x01 (Ed25519) and 0x04 (timestamped Ed25519 cosignature) are checked; other lines are carried. A policy
// may name witnesses with ML-DSA-44 keys (type 0x06), which meet no quorum here.
import {
  concatBytes, countCharacters, encodeText, equalBytes, formatBase64, formatHex, hashBytes, parseBase64, parseDecimal,
  shown,
} from "./encoding.js";
import { ValueError, malformed } from "./errors.js";
import { KEY_LENGTH, PublicKey, SIGNATURE_LENGTH } from "./keys.js";
import { sha256 } from "./sha256.js";

export const ED25519 = 0x01;
export const COSIGNATURE = 0x04;
const ML_DSA_COSIGNATURE = 0x06;

const MAX_LENGTH = 1024 * 1024;
/** Signature lines of one note, as REG-1.0 bounds them (C2SP asks for at least 16). */
const MAX_SIGNATURES = 32;

const KEY_ID_LENGTH = 4;
const TIME_LENGTH = 8;
const MAX_TIME = 2n ** 63n - 1n; // C2SP tlog-cosignature
const SIGNATURE_START = "— ";
const CONTROL = /[\x00-\x09\x0b-\x1f\ud800-\udfff]/u; // and lone surrogates, which no UTF-8 holds
// C2SP signed-note: no Unicode space, no plus sign. Written out, so that it does not change with the version of
// Unicode.
const NAME = /^[^\x00-\x20+\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ud800-\udfff]+$/u;
// C2SP tlog-policy, character set: octets 0x09, 0x0A, 0x20-0x7E, 0x80-0xFF.
const NO_POLICY_CHARACTER = /[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]/u;

const ED25519_LENGTHS = new Map([[ED25519, KEY_LENGTH], [COSIGNATURE, KEY_LENGTH]]);
const WITNESS_LENGTHS = new Map([[COSIGNATURE, KEY_LENGTH], [ML_DSA_COSIGNATURE, 1312]]); // FIPS 204

/** A named public key for one type of signature. */
export class VerifierKey {
  constructor(name, type, publicKey) {
    this.name = name;
    this.type = type;
    this.public = publicKey;
    /** SHA-256(name ‖ 0x0A ‖ type ‖ key) cut to 4 bytes. */
    this.keyId = keyIdOf(name, concatBytes(Uint8Array.of(type), publicKey.data));
  }

  /** The vkey text: name, key id in hexadecimal, type and key in base64. */
  format() {
    return `${this.name}+${formatHex(this.keyId)}+${formatBase64(concatBytes(Uint8Array.of(this.type), this.public.data))}`;
  }
}

/** A vkey of type 0x01 or 0x04. Raises `ValueError`. */
export function parseVerifierKey(text) {
  const [name, data] = parseVkey(text, ED25519_LENGTHS);
  return new VerifierKey(name, data[0], new PublicKey(data.slice(1)));
}

/** Key name, and type and key in one; `lengths`: bytes of a key of each type that may be here. */
function parseVkey(text, lengths) {
  const first = text.indexOf("+"), second = text.indexOf("+", first + 1); // base64 may hold a plus sign itself
  if (first < 0 || second < 0) throw new ValueError(`${shown(text)} is not a verifier key: name+id+key`);
  const name = parseName(text.slice(0, first)), data = parseBase64(text.slice(second + 1));
  if (data.length - 1 !== lengths.get(data[0])) {
    const wanted = [...lengths].map(([kind, length]) => `${length} of type ${kind}`).join(", ");
    const message = `${data.length - 1} bytes of type ${data[0]}, wanted ${wanted}`;
    throw new ValueError(`verifier key ${shown(name)}: ${message}`);
  }
  const id = text.slice(first + 1, second), wantedId = formatHex(keyIdOf(name, data));
  if (id !== wantedId) throw new ValueError(`verifier key ${shown(name)}: key id ${shown(id)}, wanted ${wantedId}`);
  return [name, data];
}

function keyIdOf(name, typedKey) {
  return hashBytes(sha256(concatBytes(encodeText(`${name}\n`), typedKey))).slice(0, KEY_ID_LENGTH);
}

/** A signed note with 1 … 32 signature lines: {text, signatures}. Raises `VerificationError` (note-malformed). */
export function parseNote(data) {
  return malformed("note-malformed", "signed note", () => {
    if (countCharacters(data, MAX_LENGTH) > MAX_LENGTH) {
      throw new ValueError(`${countCharacters(data, MAX_LENGTH)} characters, at most ${MAX_LENGTH} are allowed`);
    }
    const found = CONTROL.exec(data);
    if (found) {
      const at = Array.from(data.slice(0, found.index)).length; // code points, as everywhere, not UTF-16 units
      throw new ValueError(`control character ${shown(found[0])} at ${at}`);
    }
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
    throw new ValueError(`${shown(name)} is not a key name: one or more characters, no space, no plus sign`);
  }
  return name;
}

export const NO_QUORUM = "none";
const MAX_POLICY = 64 * 1024;
/** Names of one policy; C2SP asks for at least 32 of each kind. */
const MAX_LINES = 256;

/**
 * A parsed policy. `quorum`: the name of a witness or group, or `none`. `witnesses`: by name, keys of type 0x04,
 * which can be checked; `uncounted`: names of the other witnesses (0x06).
 */
export class WitnessPolicy {
  constructor(witnesses, groups, quorum, uncounted = new Set()) {
    this.witnesses = witnesses;
    this.groups = groups;
    this.quorum = quorum;
    this.uncounted = uncounted;
  }

  /** Whether the witnesses named in `cosigners`, a set, make the quorum. */
  isMet(cosigners) {
    if (this.quorum === NO_QUORUM) return true;
    const met = new Set([...cosigners].filter((name) => this.witnesses.has(name)));
    for (const { name, threshold, members } of this.groups) {
      if (members.filter((member) => met.has(member)).length >= threshold) met.add(name);
    }
    return met.has(this.quorum);
  }
}

export const NO_WITNESSES = new WitnessPolicy(new Map(), [], NO_QUORUM);

/** A policy without `log` lines, as notices carry it. Raises `ValueError`. */
export function parsePolicy(text) {
  if (countCharacters(text, MAX_POLICY) > MAX_POLICY || !text.endsWith("\n")) {
    throw new ValueError(`a policy is lines, ${MAX_POLICY} characters at most, the last one ended`);
  }
  const control = NO_POLICY_CHARACTER.exec(text);
  if (control) throw new ValueError(`a policy has no control character, found ${shown(control[0])}`);
  const parser = new PolicyParser();
  for (const line of text.slice(0, -1).split("\n")) {
    const words = line.replaceAll("\t", " ").split(" ").filter((word) => word !== "");
    if (words.length && !words[0].startsWith("#")) parser.read(words);
  }
  return parser.finish();
}

class PolicyParser {
  witnesses = new Map();
  groups = [];
  uncounted = new Set();
  keys = new Set();
  quorum = null;
  grouped = new Set();

  read(words) {
    const [keyword, ...given] = words;
    if (keyword === "witness" && [2, 3].includes(given.length)) this.#witness(given[0], given[1]);
    else if (keyword === "group" && given.length >= 3) this.#group(given[0], given[1], given.slice(2));
    else if (keyword === "quorum" && given.length === 1 && this.quorum === null) {
      this.quorum = given[0] === NO_QUORUM ? NO_QUORUM : this.#known(given[0]);
    } else throw new ValueError(`${shown(words.join(" "))} is not a line of a witness policy`);
  }

  finish() {
    if (this.quorum === null) throw new ValueError("the policy has no quorum line");
    return new WitnessPolicy(this.witnesses, this.groups, this.quorum, this.uncounted);
  }

  #witness(name, vkey) {
    const [keyName, data] = parseVkey(vkey, WITNESS_LENGTHS);
    const key = data.slice(1), hex = formatHex(key);
    if (this.keys.has(hex)) throw new ValueError(`witness ${shown(name)}: its key occurs twice`);
    this.keys.add(hex);
    if (data[0] === COSIGNATURE) {
      const verifierKey = new VerifierKey(keyName, COSIGNATURE, new PublicKey(key));
      this.witnesses.set(this.#new(name), verifierKey);
    } else this.uncounted.add(this.#new(name));
  }

  #group(name, threshold, members) {
    const named = new Map([["all", members.length], ["any", 1]]);
    const count = named.get(threshold) || parseDecimal(threshold, members.length);
    if (count === 0) throw new ValueError(`group ${shown(name)}: threshold 0, wanted 1 to ${members.length}`);
    for (const member of members) {
      if (this.grouped.has(this.#known(member))) throw new ValueError(`${shown(member)} is a member twice`);
      this.grouped.add(member);
    }
    this.groups.push({ name: this.#new(name), threshold: count, members });
  }

  #new(name) {
    const count = this.witnesses.size + this.uncounted.size + this.groups.length;
    if (name === NO_QUORUM || this.#isKnown(name) || count >= MAX_LINES) {
      throw new ValueError(`name ${shown(name)} is taken, reserved, or one too many`);
    }
    return name;
  }

  #known(name) {
    if (!this.#isKnown(name)) throw new ValueError(`name ${shown(name)} is not defined before its use`);
    return name;
  }

  #isKnown(name) {
    return this.witnesses.has(name) || this.uncounted.has(name) || this.groups.some((group) => group.name === name);
  }
}
