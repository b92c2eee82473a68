// Notices: the public list of key events, withdrawals and incidents that checkpoints commit to.
//
// Keys, witness policies and the status of kits are what the notices yield (REG-1.0 section 9).
import {
  equalJson, formatJson, parseJson, takeArray, takeConstant, takeDocument, takeHash, takeInteger, takeObject,
  takeString, takeTime, takeValue, takeWord,
} from "./canonical.js";
import { parseBase64url, parseHash, parseOrigin } from "./encoding.js";
import { ValueError, malformed } from "./errors.js";
import { KEY_LENGTH, PublicKey } from "./keys.js";
import { parsePolicy } from "./note.js";
import { sha256 } from "./sha256.js";
import { INCIDENT_KINDS, INCIDENT_REASONS, NOTICE_TYPES, REVOCATION_REASONS, ROLES, WITHDRAWAL_REASONS } from "./words.js";

const MAX_NOTICES = 10_000;
/** Bytes of a notices document. */
export const MAX_NOTICES_LENGTH = 4 * 1024 * 1024;

/** A notices document; `notices`: {n, at, type, data} each, checked. */
export class Notices {
  #data;

  constructor(members, origin, notices) {
    this.members = members;
    this.origin = origin;
    this.notices = notices;
  }

  /** The document's bytes. */
  format() {
    this.#data ??= formatJson(this.members);
    return this.#data;
  }

  /** SHA-256 of the document. */
  hash() {
    return sha256(this.format());
  }

  /** Whether this document is `earlier` with or without new notices. */
  startsWith(earlier) {
    return this.origin === earlier.origin
      && earlier.notices.length <= this.notices.length
      && equalJson(this.members.notices.slice(0, earlier.notices.length), earlier.members.notices);
  }
}

/** A public key from a JWK with exactly `crv, kid, kty, use, x`. Raises `ValueError`. */
export function takeJwk(value) {
  const members = takeObject(value, ["crv", "kid", "kty", "use", "x"]);
  takeConstant(members, "crv", "Ed25519");
  takeConstant(members, "kty", "OKP");
  takeConstant(members, "use", "sig");
  const key = new PublicKey(takeValue(members, "x", (text) => parseBase64url(text, KEY_LENGTH)));
  takeConstant(members, "kid", key.kid);
  return key;
}

/** A notices document. Raises `VerificationError` (trust-root-unusable, schema-newer). */
export function parseNotices(data) {
  return malformed("trust-root-unusable", "notices", () => takeNotices(parseJson(data, MAX_NOTICES_LENGTH)));
}

/** A notices document from parsed JSON: number, shapes, numbering, order of times, no repetition. */
export function takeNotices(value) {
  const members = takeDocument(value, "notices", ["origin", "notices"]);
  const items = takeArray(members, "notices"), notices = [];
  if (items.length > MAX_NOTICES) {
    throw new ValueError(`${items.length} notices, at most ${MAX_NOTICES} are allowed`);
  }
  for (const [n, item] of items.entries()) {
    const notice = takeNotice(item);
    if (notice.n !== n) throw new ValueError(`notice ${notice.n} stands at place ${n}`);
    if (n && notice.at < notices[n - 1].at) throw new ValueError(`notice ${n} is earlier than the one before`);
    notices.push(notice);
  }
  const contents = notices.map(({ type, data }) => sha256(formatJson([type, data])));
  if (new Set(contents).size !== notices.length) {
    throw new ValueError("a notice occurs twice");
  }
  return new Notices(members, takeValue(members, "origin", parseOrigin), notices);
}

function takeNotice(value) {
  const members = takeObject(value, ["n", "at", "type", "data"]);
  const type = takeWord(members, "type", NOTICE_TYPES);
  const shape = SHAPES[type];
  const data = takeObject(members.data, Object.keys(shape));
  for (const [name, take] of Object.entries(shape)) take(data, name);
  if (type === "incident" && takeInteger(data, "from_index") > takeInteger(data, "to_index")) {
    throw new ValueError("incident: from_index is greater than to_index");
  }
  return { n: takeInteger(members, "n"), at: takeTime(members, "at"), type, data };
}

const oneOf = (words) => (members, name) => takeWord(members, name, words);
const takeKid = (members, name) => takeValue(members, name, parseHash);

const SHAPES = {
  "key.added": {
    role: oneOf(ROLES),
    jwk: (members, name) => takeJwk(members[name]),
    valid_from: takeTime,
  },
  "key.retired": { kid: takeKid, valid_until: takeTime },
  "key.revoked": { kid: takeKid, revoked_at: takeTime, reason: oneOf(REVOCATION_REASONS) },
  "witness.policy": { valid_from: takeTime, policy: (members, name) => parsePolicy(takeString(members, name)) },
  "kit.withdrawn": { leaf_hash: takeHash, reason: oneOf(WITHDRAWAL_REASONS) },
  "kit.superseded": { leaf_hash: takeHash, by: takeHash },
  incident: {
    kind: oneOf(INCIDENT_KINDS),
    from_index: takeInteger,
    to_index: takeInteger,
    reason: oneOf(INCIDENT_REASONS),
  },
};
