// SHA-512 (FIPS 180-4), for Ed25519 where the platform has no WebCrypto. For short messages: it is slow.
import { concatBytes } from "./encoding.js";

const BLOCK = 128; // bytes
const MASK = 2n ** 64n - 1n;

// FIPS 180-4 section 4.2.3: 64 bits of the fractional parts of the cube roots of the first 80 primes …
const K = roots(80, 3n);
// … section 5.3.5: and of the square roots of the first eight.
const START = roots(8, 2n);

function roots(count, degree) {
  const primes = [];
  for (let n = 2n; primes.length < count; n++) if (primes.every((prime) => n % prime)) primes.push(n);
  return primes.map((prime) => integerRoot(prime << (64n * degree), degree) & MASK);
}

/** The largest integer whose power `degree` is not above `value`. */
function integerRoot(value, degree) {
  let low = 0n, high = 2n ** 80n;
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (middle ** degree <= value) low = middle;
    else high = middle;
  }
  return low;
}

const rotated = (word, count) => (word >> count) | ((word << (64n - count)) & MASK);

/** The 64 bytes of a message's hash. */
export function sha512(message) {
  const padding = new Uint8Array(1 + ((BLOCK * 2 - 17 - (message.length % BLOCK)) % BLOCK) + 16);
  padding[0] = 0x80;
  new DataView(padding.buffer).setBigUint64(padding.length - 8, BigInt(message.length) * 8n);
  const padded = new DataView(concatBytes(message, padding).buffer);
  let state = START;
  for (let at = 0; at < padded.byteLength; at += BLOCK) state = compress(state, padded, at);
  const out = new DataView(new ArrayBuffer(64));
  state.forEach((word, at) => out.setBigUint64(at * 8, word));
  return new Uint8Array(out.buffer);
}

/** Section 6.4.2. */
function compress(state, data, at) {
  const w = Array.from({ length: 16 }, (_, t) => data.getBigUint64(at + t * 8));
  for (let t = 16; t < 80; t++) {
    const x = w[t - 15], y = w[t - 2];
    const s0 = rotated(x, 1n) ^ rotated(x, 8n) ^ (x >> 7n), s1 = rotated(y, 19n) ^ rotated(y, 61n) ^ (y >> 6n);
    w.push((w[t - 16] + s0 + w[t - 7] + s1) & MASK);
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let t = 0; t < 80; t++) {
    const s1 = rotated(e, 14n) ^ rotated(e, 18n) ^ rotated(e, 41n);
    const one = h + s1 + ((e & f) ^ (~e & MASK & g)) + K[t] + w[t];
    const two = (rotated(a, 28n) ^ rotated(a, 34n) ^ rotated(a, 39n)) + ((a & b) ^ (a & c) ^ (b & c));
    [a, b, c, d, e, f, g, h] = [(one + two) & MASK, a, b, c, (d + one) & MASK, e, f, g];
  }
  return [a, b, c, d, e, f, g, h].map((word, place) => (word + state[place]) & MASK);
}
