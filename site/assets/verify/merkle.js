// Merkle trees as RFC 6962 defines them: hashes, roots, and the checks of proofs.
//
// Proof checks follow RFC 9162, whose tree is the same. Sizes go up to 2^53 − 1, past JavaScript's
// bit operations: division and remainder take their place.
import { concatBytes, hashBytes } from "./encoding.js";
import { VerificationError } from "./errors.js";
import { sha256 } from "./sha256.js";

/** RFC 6962 section 2.1: the hash of an empty list. */
export const EMPTY_ROOT = sha256(new Uint8Array(0));

/** RFC 6962 section 2.1: SHA-256(0x00 ‖ entry). */
export function leafHash(entry) {
  return sha256(concatBytes(Uint8Array.of(0), entry));
}

/** RFC 6962 section 2.1: SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(left, right) {
  return sha256(concatBytes(Uint8Array.of(1), hashBytes(left), hashBytes(right)));
}

/** The root over these leaf hashes: O(n) time, O(log n) memory. */
export function rootOf(leaves) {
  const edge = []; // roots of complete subtrees, largest first
  let size = 0;
  for (const leaf of leaves) {
    edge.push(leaf);
    for (let rest = size; rest % 2; rest = half(rest)) {
      const right = edge.pop();
      edge.push(nodeHash(edge.pop(), right));
    }
    size += 1;
  }
  return edge.length ? edge.reduceRight((right, left) => nodeHash(left, right)) : EMPTY_ROOT;
}

/** Check an audit path (RFC 9162 section 2.1.3.2). `head`: {size, root}. Raises `VerificationError`. */
export function checkInclusion(leaf, index, head, path) {
  const failure = new VerificationError(
    "inclusion-proof-invalid",
    `the audit path does not lead from leaf ${index} to the root of size ${head.size}`,
  );
  if (index >= head.size) throw failure; // step 1
  let fn = index, sn = head.size - 1, r = leaf; // steps 2, 3
  for (const p of path) { // step 4
    if (sn === 0) throw failure;
    if (fn % 2 || fn === sn) {
      r = nodeHash(p, r);
      [fn, sn] = shiftToSibling(fn, sn);
    } else {
      r = nodeHash(r, p);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  if (sn !== 0 || r !== head.root) throw failure; // step 5
}

/**
 * Check a consistency proof (RFC 9162 section 2.1.4.2). Raises `VerificationError`.
 * Size 0 is consistent with everything and equal sizes with equal roots, by an empty proof.
 */
export function checkConsistency(old, head, path) {
  let consistent;
  const isEmpty = path.length === 0;
  if (old.size === head.size) consistent = isEmpty && old.root === head.root && (old.size > 0 || old.root === EMPTY_ROOT);
  else if (old.size === 0) consistent = isEmpty && old.root === EMPTY_ROOT;
  else consistent = old.size < head.size && leadsToBoth(old, head, path);
  if (!consistent) {
    throw new VerificationError(
      "checkpoint-conflict",
      `the tree of size ${head.size} is not shown to extend the tree of size ${old.size}`,
    );
  }
}

/** RFC 9162 section 2.1.4.2, for 0 < old size < new size. */
function leadsToBoth(old, head, path) {
  if (path.length === 0) return false; // step 1
  const proof = isPowerOfTwo(old.size) ? [old.root, ...path] : path; // step 2
  let fn = old.size - 1, sn = head.size - 1; // step 3
  while (fn % 2) [fn, sn] = [half(fn), half(sn)]; // step 4
  let fr = proof[0], sr = proof[0]; // step 5
  for (const c of proof.slice(1)) { // step 6
    if (sn === 0) return false;
    if (fn % 2 || fn === sn) {
      [fr, sr] = [nodeHash(c, fr), nodeHash(c, sr)];
      [fn, sn] = shiftToSibling(fn, sn);
    } else {
      sr = nodeHash(sr, c);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && fr === old.root && sr === head.root; // step 7
}

const half = (n) => Math.floor(n / 2);

function isPowerOfTwo(n) {
  while (n % 2 === 0) n = half(n);
  return n === 1;
}

/** Skip the levels at which the node is a right edge without a sibling. */
function shiftToSibling(fn, sn) {
  while (fn && fn % 2 === 0) [fn, sn] = [half(fn), half(sn)];
  return [fn, sn];
}
