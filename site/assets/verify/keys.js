// Ed25519 public keys (RFC 8032, pure): strict, their thumbprints, and checking signatures.
//
// A signature counts if the bundled equation holds *and* the platform's WebCrypto agrees, where it has
// Ed25519 and answers: the first makes the answer the same everywhere, the second is an implementation by others.
import { concatBytes, formatBase64url, formatHex, shown } from "./encoding.js";
import { formatJson } from "./canonical.js";
import { ValueError } from "./errors.js";
import { equationHolds, refusePublicKey } from "./ed25519.js";
import { sha256 } from "./sha256.js";
import { sha512 } from "./sha512.js";

export const KEY_LENGTH = 32;
export const SIGNATURE_LENGTH = 64;

const MAX_REMEMBERED = 1024;
const refusals = new Map();
const answers = new Map();

/** Look up, or work out and remember: what follows from public bytes alone stays true. */
function remember(map, key, work) {
  if (!map.has(key)) {
    if (map.size >= MAX_REMEMBERED) map.clear();
    map.set(key, work());
  }
  return map.get(key);
}

/** An Ed25519 public key; `data` is its 32-byte encoding. Refused unless it is canonical and of large order. */
export class PublicKey {
  #imported;

  constructor(data) {
    if (data.length !== KEY_LENGTH) {
      throw new ValueError(`an Ed25519 public key has ${KEY_LENGTH} bytes, found ${data.length}`);
    }
    const hex = formatHex(data);
    const refusal = remember(refusals, hex, () => refusePublicKey(data));
    if (refusal) throw new ValueError(`public key ${shown(hex)} ${refusal}`);
    this.data = data;
    this.x = formatBase64url(data);
    /** RFC 7638 JWK thumbprint, SHA-256, base64url. */
    this.kid = sha256(formatJson({ crv: "Ed25519", kty: "OKP", x: this.x }));
  }

  /** Whether `signature` is this key's over `message`: 64 bytes, cofactorless, S < L. */
  async verifies(signature, message) {
    if (signature.length !== SIGNATURE_LENGTH) return false; // RFC 8032 section 5.1.7 step 1
    const question = `${this.x} ${formatBase64url(signature)} ${sha256(message)}`;
    return remember(answers, question, () => this.#verifies(signature, message));
  }

  async #verifies(signature, message) {
    const digest = sha512(concatBytes(signature.subarray(0, 32), this.data, message));
    return equationHolds(this.data, signature, digest) && (await this.#platformAgrees(signature, message));
  }

  async #platformAgrees(signature, message) {
    this.#imported ??= importKey(this.data);
    const key = await this.#imported;
    try {
      return key === null || (await globalThis.crypto.subtle.verify("Ed25519", key, signature, message));
    } catch {
      return true; // no answer: the equation, which holds, decides
    }
  }
}

/** WebCrypto's key, or null where there is no WebCrypto (no secure context) or none with Ed25519. */
async function importKey(data) {
  try {
    return await globalThis.crypto.subtle.importKey("raw", data, "Ed25519", false, ["verify"]);
  } catch {
    return null;
  }
}
