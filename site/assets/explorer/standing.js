// What public notices say of an entry: withdrawn, superseded, its keys revoked, in the log later than promised.
import { formatTime } from "../verify/encoding.js";
import { readable } from "./show.js";

const dated = (time) => readable(formatTime(time));

/** The withdrawal of the kit with this leaf hash, {at, reason}, or null. The first notice counts. */
export function withdrawalOf(trust, leafHash) {
  const notice = trust.notices.notices.find(({ type, data }) => type === "kit.withdrawn" && data.leaf_hash === leafHash);
  return notice ? { at: notice.at, reason: notice.data.reason } : null;
}

/** Until when the key counted and why it was revoked, as words; null if it was not revoked. */
export function revocationOf(trust, role, kid) {
  const key = trust.keyring.key(role, kid);
  if (!key || key.revokedAt === null) return null;
  const notice = trust.notices.notices.find(({ type, data }) => type === "key.revoked" && data.kid === kid);
  return `revoked as of ${dated(key.revokedAt)}, reason: ${notice.data.reason}`;
}

/** Whether the issuer key of an entry counts: a check to show (REG-1.0 section 12, step 7). */
export function checkIssuerKey({ record: { leaf }, checkpoint }, trust) {
  const words = "The issuer key that it names counts at its time";
  const key = trust.keyring.key("issuer", leaf.members.issuer_kid);
  if (!key) return { tone: "bad", words, detail: `key ${leaf.members.issuer_kid} is in no notice` };
  if (!key.isValidAt(leaf.issuedAt)) return { tone: "bad", words, detail: `key ${leaf.members.issuer_kid} was not valid then` };
  if (key.isRevokedAt(leaf.issuedAt) || key.isRevokedAt(checkpoint.timestamp)) {
    const detail = `${revocationOf(trust, "issuer", leaf.members.issuer_kid)}. A receipt of that key no longer verifies`;
    return { tone: "note", words: "The issuer key was revoked", detail, revoked: true };
  }
  return { tone: "good", words, detail: `key ${leaf.members.issuer_kid}` };
}

/** The row for a failure that a notice explains, by the verifier's reason: {words, detail}, or null. */
export function explained(reason, receipt, trust) {
  const { checkpoint, record } = receipt;
  if (reason === "kit-withdrawn") {
    const { at, reason: why } = withdrawalOf(trust, record.leafHash);
    return { words: "The kit was withdrawn", detail: `on ${dated(at)}, reason: ${why}` };
  }
  if (reason === "registry-key-revoked") {
    const detail = `${revocationOf(trust, "registry", checkpoint.kid)}. A kit that rests on this checkpoint no longer verifies`;
    return { words: "The registry key that signed its checkpoint was revoked", detail, revoked: true };
  }
  // The incident comes with the round after the late one: until then nothing is wrong.
  if (reason === "late-merge-unexplained" && checkpoint.sequence === trust.checkpoint.sequence) {
    const detail = "it came into the log later than promised; the incident that says why is due with the next checkpoint";
    return { words: LATE, detail };
  }
  return null;
}

export const LATE = "Issued before the checkpoint, but in it later than promised";
