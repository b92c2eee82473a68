// SHA-256 (FIPS 180-4), as a stream: WebCrypto takes whole messages only, a kit has up to 116 MiB.
import { concatBytes, formatBase64url } from "./encoding.js";

const BLOCK = 64; // bytes

// FIPS 180-4 section 4.2.2: the fractional parts of the cube roots of the first 64 primes …
const K = Int32Array.of(
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
);
// … section 5.3.3: and of the square roots of the first eight.
const START = Int32Array.of(
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
);

/** A hash in the making. Feed it with `update`, in pieces of any length. */
export class Sha256 {
  #state = Int32Array.from(START);
  #words = new Int32Array(64);
  #rest = new Uint8Array(BLOCK);
  #pending = 0;
  #length = 0;

  update(data) {
    this.#length += data.length;
    let at = 0;
    if (this.#pending) {
      at = Math.min(BLOCK - this.#pending, data.length);
      this.#rest.set(data.subarray(0, at), this.#pending);
      this.#pending += at;
      if (this.#pending < BLOCK) return this;
      this.#compress(this.#rest, 0, BLOCK);
      this.#pending = 0;
    }
    const whole = data.length - ((data.length - at) % BLOCK);
    this.#compress(data, at, whole);
    this.#rest.set(data.subarray(whole));
    this.#pending = data.length - whole;
    return this;
  }

  /** The 32 bytes. The hash takes nothing more then. */
  digest() {
    const bits = new DataView(new ArrayBuffer(8));
    bits.setBigUint64(0, BigInt(this.#length) * 8n);
    const padding = new Uint8Array(1 + ((BLOCK * 2 - 9 - (this.#length % BLOCK)) % BLOCK)); // section 5.1.1
    padding[0] = 0x80;
    this.update(concatBytes(padding, new Uint8Array(bits.buffer)));
    const out = new DataView(new ArrayBuffer(32));
    this.#state.forEach((word, at) => out.setInt32(at * 4, word));
    return new Uint8Array(out.buffer);
  }

  /** FIPS 180-4 section 6.2.2 over the blocks in data[at, end). */
  #compress(data, at, end) {
    const w = this.#words, state = this.#state;
    for (; at < end; at += BLOCK) {
      for (let t = 0, i = at; t < 16; t++, i += 4) {
        w[t] = (data[i] << 24) | (data[i + 1] << 16) | (data[i + 2] << 8) | data[i + 3];
      }
      for (let t = 16; t < 64; t++) {
        const x = w[t - 15], y = w[t - 2];
        const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
        const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
        w[t] = (w[t - 16] + s0 + w[t - 7] + s1) | 0;
      }
      let a = state[0], b = state[1], c = state[2], d = state[3];
      let e = state[4], f = state[5], g = state[6], h = state[7];
      for (let t = 0; t < 64; t++) {
        const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
        const one = (h + s1 + ((e & f) ^ (~e & g)) + K[t] + w[t]) | 0;
        const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
        const two = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
        h = g; g = f; f = e; e = (d + one) | 0;
        d = c; c = b; b = a; a = (one + two) | 0;
      }
      state[0] += a; state[1] += b; state[2] += c; state[3] += d;
      state[4] += e; state[5] += f; state[6] += g; state[7] += h;
    }
  }
}

/** SHA-256 of bytes, as documents write it. */
export function sha256(data) {
  return formatBase64url(new Sha256().update(data).digest());
}
