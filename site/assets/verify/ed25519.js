// Ed25519 (RFC 8032, pure), checking only: strict encodings, and the equation without the cofactor.
//
// Not in constant time: everything it sees is public.

const P = 2n ** 255n - 19n; // RFC 8032 section 5.1
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const D = mod(-121665n * inverse(121666n));
const SQRT_M1 = power(2n, (P - 1n) / 4n);
// y coordinates of the points whose order divides 8: 0 (order 4), ±1 (1 and 2), and the two of order 8.
const Y8 = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n;
const SMALL_ORDER_Y = [0n, 1n, P - 1n, Y8, P - Y8];

// Points in extended coordinates (section 5.1.4): [X, Y, Z, T] with x = X/Z, y = Y/Z, xy = T/Z.
const ZERO = [0n, 1n, 1n, 0n];
const BASE = decodePoint(littleEndian(mod(4n * inverse(5n)), 32));

function mod(value) {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
}

function power(base, exponent) {
  let result = 1n;
  for (; exponent; exponent >>= 1n) {
    if (exponent & 1n) result = (result * base) % P;
    base = (base * base) % P;
  }
  return result;
}

function inverse(value) {
  return power(mod(value), P - 2n);
}

function number(data) {
  let value = 0n;
  for (let at = data.length - 1; at >= 0; at--) value = (value << 8n) | BigInt(data[at]);
  return value;
}

function littleEndian(value, length) {
  return Uint8Array.from({ length }, (_, at) => Number((value >> BigInt(8 * at)) & 0xffn));
}

/** A point from its encoding (section 5.1.3), or null: y not below p, no such point, or −0 for x. */
function decodePoint(data) {
  const whole = number(data);
  const y = whole & (2n ** 255n - 1n), sign = whole >> 255n;
  if (y >= P) return null;
  const u = mod(y * y - 1n), v = mod(D * y * y + 1n);
  let x = mod(u * v ** 3n * power(mod(u * v ** 7n), (P - 5n) / 8n));
  if (mod(v * x * x) !== u) x = mod(x * SQRT_M1);
  if (mod(v * x * x) !== u || (x === 0n && sign)) return null;
  if ((x & 1n) !== sign) x = P - x;
  return [x, y, 1n, mod(x * y)];
}

/** Section 5.1.4: complete, so that it also doubles. */
function add([x1, y1, z1, t1], [x2, y2, z2, t2]) {
  const a = mod((y1 - x1) * (y2 - x2)), b = mod((y1 + x1) * (y2 + x2));
  const c = mod(2n * t1 * D * t2), d = mod(2n * z1 * z2);
  const e = b - a, f = d - c, g = d + c, h = b + a;
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
}

function double([x, y, z]) {
  const a = mod(x * x), b = mod(y * y), c = mod(2n * z * z);
  const h = a + b, e = h - (x + y) ** 2n, g = a - b, f = c + g;
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
}

function encodePoint([x, y, z]) {
  const factor = inverse(z);
  return littleEndian(mod(y * factor) | ((mod(x * factor) & 1n) << 255n), 32);
}

/** one·A + other·B, both at once. */
function combine(one, a, other, b) {
  const both = add(a, b);
  let result = ZERO;
  for (let bit = 255n; bit >= 0n; bit--) {
    result = double(result);
    const x = (one >> bit) & 1n, y = (other >> bit) & 1n;
    if (x || y) result = add(result, x && y ? both : x ? a : b);
  }
  return result;
}

/** Why `data`, 32 bytes, is no public key to be trusted, or null: canonical y, on the curve, of large order. */
export function refusePublicKey(data) {
  const y = number(data) & (2n ** 255n - 1n);
  if (y >= P) return "is not canonically encoded";
  if (SMALL_ORDER_Y.includes(y)) return "is a point of small order";
  return decodePoint(data) ? null : "is not a point of the curve";
}

/** Whether S, the signature's second half, is below L (section 5.1.7). */
export function isReduced(signature) {
  return number(signature.subarray(32)) < L;
}

/**
 * Whether `signature` is over the message by `key`: [S]B = R + [k]A, exactly (section 5.1.7 without the
 * cofactor), R in its one encoding. `digest`: the 64 bytes of SHA-512(R ‖ A ‖ message).
 */
export function equationHolds(key, signature, digest) {
  const a = decodePoint(key);
  if (!a || !isReduced(signature)) return false;
  const minusA = [mod(-a[0]), a[1], 1n, mod(-a[3])];
  const r = encodePoint(combine(number(digest) % L, minusA, number(signature.subarray(32)), BASE));
  return r.every((byte, at) => byte === signature[at]); // another spelling of R is another value
}
