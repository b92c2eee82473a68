// What this registry says of itself now: newest checkpoint, notices, keys; and the checks of what it serves.
//
// The keys are the registry's own. A page can show that all it serves hangs together; that it is the right
// registry shows only a trust root that came by another way.
import { formatJson, parseJson, takeArray, takeObject } from "../verify/canonical.js";
import { parseCheckpoint, takeCheckpoint } from "../verify/checkpoint.js";
import { parseHash } from "../verify/encoding.js";
import { ValueError, VerificationError } from "../verify/errors.js";
import { checkConsistency } from "../verify/merkle.js";
import { sha256 } from "../verify/sha256.js";
import { parseTrust } from "../verify/trust.js";
import { formatIndex, need, read } from "./source.js";

export const BUNDLED = 256;

/** An answer of the registry does not hold together. */
export class LieError extends Error {}

/** Run a check of something served; what is wrong with it becomes a `LieError` that says where. */
export async function held(what, check) {
  try {
    return await check();
  } catch (error) {
    if (error instanceof VerificationError || error instanceof ValueError || error instanceof SyntaxError) {
      throw new LieError(`${what}: ${error.message}`);
    }
    throw error;
  }
}

/** The newest checkpoint and its notices as a trust root, each checked against the other. */
export async function newest() {
  const data = await need("v1/checkpoints/latest.json", { fresh: true });
  const checkpoint = await held("latest.json", () => parseCheckpoint(data));
  const notices = await need(`v1/notices/${checkpoint.noticesHash}.json`);
  if (sha256(notices) !== checkpoint.noticesHash) {
    throw new LieError("the notices are not those that the newest checkpoint commits to");
  }
  return held("the newest checkpoint and its notices", () => {
    const members = { schema: "attestlayer/trust/1", origin: checkpoint.origin, checkpoint: checkpoint.members };
    return parseTrust(formatJson({ ...members, notices: parseJson(notices) }));
  });
}

/** The checkpoint with this hash, or null. */
export async function checkpointAt(hash) {
  const data = await read(`v1/checkpoints/${hash}.json`);
  if (data === null) return null;
  if (sha256(data) !== hash) throw new LieError(`the checkpoint ${hash} has other bytes than its name says`);
  return held(`checkpoint ${hash}`, () => parseCheckpoint(data));
}

/** The checkpoints of one bundle. */
export async function bundle(number) {
  const data = await need(`v1/checkpoints/bundle/${formatIndex(number)}`);
  return held(`checkpoint bundle ${number}`, () => {
    const checkpoints = parseJson(data).map(takeCheckpoint);
    checkpoints.forEach((checkpoint, at) => {
      const chained = at === 0 || checkpoint.previous === checkpoints[at - 1].hash();
      if (checkpoint.sequence !== number * BUNDLED + at || !chained) {
        throw new ValueError(`its checkpoint ${at} does not follow the one before`);
      }
    });
    if (checkpoints.length !== BUNDLED) throw new ValueError(`${checkpoints.length} checkpoints, wanted ${BUNDLED}`);
    return checkpoints;
  });
}

/** The checkpoint number `sequence` of the chain that ends in `last`, or null beyond it. */
export async function checkpointNumber(sequence, last) {
  if (sequence > last.sequence || sequence < 0) return null;
  const number = Math.floor(sequence / BUNDLED);
  if ((number + 1) * BUNDLED <= last.sequence + 1) return (await bundle(number))[sequence % BUNDLED];
  let current = last;
  while (current && current.sequence > sequence) current = await before(current);
  return current;
}

/** The checkpoint before, by the hash that this one names. */
export async function before(checkpoint) {
  if (checkpoint.previous === null) return null;
  const found = await checkpointAt(checkpoint.previous);
  if (found && (found.sequence !== checkpoint.sequence - 1 || found.timestamp >= checkpoint.timestamp)) {
    throw new LieError(`checkpoint ${checkpoint.sequence} names one before it that is not before it`);
  }
  return found;
}

/** Whether a checkpoint is signed by a key that the notices made valid at its time: a check to show. */
export async function checkSignature(checkpoint, keyring) {
  const words = "Its signature, by a registry key that was valid at its time";
  const key = keyring.key("registry", checkpoint.kid);
  if (!key) return { tone: "bad", words, detail: `key ${checkpoint.kid} is in no notice` };
  if (!key.isValidAt(checkpoint.timestamp)) return { tone: "bad", words, detail: "the key was not valid then" };
  if (key.isRevokedAt(checkpoint.timestamp)) return { tone: "bad", words, detail: "the key was revoked by then" };
  const holds = await key.public.verifies(checkpoint.signature, checkpoint.signedBytes());
  return { tone: holds ? "good" : "bad", words, detail: `key ${checkpoint.kid}` };
}

/** Whether the tree of `one` goes on in that of `other`: a check to show. */
export async function checkGrowth(one, other, words) {
  const [old, head] = one.head.size <= other.head.size ? [one.head, other.head] : [other.head, one.head];
  let path = [], detail = `size ${old.size} to size ${head.size}`;
  if (old.size !== head.size && old.size !== 0) {
    const data = await read(`v1/proofs/consistency?from_size=${old.size}&to_size=${head.size}`);
    if (data === null) return { tone: "warn", words, detail: `${detail}: this server has no proof for the pair` };
    try {
      const proof = takeObject(parseJson(data), ["from_root", "from_size", "proof", "to_root", "to_size"]);
      path = takeArray(proof, "proof").map(parseHash);
    } catch (error) {
      return { tone: "bad", words, detail: `${detail}: ${error.message}` };
    }
    detail += `, ${path.length} hashes`;
  }
  try {
    checkConsistency(old, head, path);
    return { tone: "good", words, detail };
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error;
    return { tone: "bad", words, detail: error.message };
  }
}
