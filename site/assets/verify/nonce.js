// The client nonce file: three lines made on the client's side before submission (REG-1.0 section 5).
import { decodeText, parseBase64url, parseHash, shown } from "./encoding.js";
import { ValueError, malformed } from "./errors.js";

export const HEADER = "attestlayer-nonce/1";
const RANDOM_LENGTH = 32;
const NO_CHECKPOINT = "-";
const MAX_LENGTH = 128;

/** A client nonce file: {checkpoint}, a hash or null. Raises `VerificationError` (nonce-malformed). */
export function parseNonce(data) {
  return malformed("nonce-malformed", "client nonce", () => {
    if (data.length > MAX_LENGTH || data.some((byte) => byte > 0x7f)) {
      throw new ValueError(`${data.length} bytes, wanted three lines of ASCII, ${MAX_LENGTH} bytes at most`);
    }
    const lines = decodeText(data).split("\n");
    if (lines.length !== 4 || lines[3] || lines[0] !== HEADER) {
      throw new ValueError(`found ${shown(data)}, wanted three lines of which the first is ${HEADER}`);
    }
    const checkpoint = lines[1] === NO_CHECKPOINT ? null : parseHash(lines[1]);
    parseBase64url(lines[2], RANDOM_LENGTH);
    return { checkpoint };
  });
}
