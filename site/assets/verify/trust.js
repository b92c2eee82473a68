// The keyring that notices yield, and the trust root `trust.json`, a checkpoint with its notices.
//
// The keyring holds keys and their validity, witness policies and the status of kits (REG-1.0 section 9).
import {
  formatJson, parseJson, takeArray, takeDocument, takeHash, takeInteger, takeObject, takeOptional, takeString,
  takeTime, takeValue,
} from "./canonical.js";
import { takeCheckpoint } from "./checkpoint.js";
import { parseOrigin, parseTime } from "./encoding.js";
import { ValueError, VerificationError } from "./errors.js";
import { ED25519, NO_WITNESSES, VerifierKey, parsePolicy } from "./note.js";
import { MAX_NOTICES_LENGTH, takeJwk, takeNotices } from "./notices.js";
import { sha256 } from "./sha256.js";

/** Bytes of `trust.json`. */
const MAX_TRUST_LENGTH = 5 * 1024 * 1024;

/** A key with its validity: it counts at time t if validFrom ≤ t < validUntil. POSIX seconds. */
export class KnownKey {
  constructor(role, publicKey, validFrom, validUntil = null, revokedAt = null) {
    this.role = role;
    this.public = publicKey;
    this.validFrom = validFrom;
    this.validUntil = validUntil;
    this.revokedAt = revokedAt;
  }

  /** Whether the key counts at `time`, revocation aside. */
  isValidAt(time) {
    return this.validFrom <= time && (this.validUntil === null || time < this.validUntil);
  }

  /** Whether the key was revoked at `time` or before. */
  isRevokedAt(time) {
    return this.revokedAt !== null && time >= this.revokedAt;
  }
}

/** The standing that follows from notices. Build it with `readNotices`. */
export class Keyring {
  keys = new Map();
  withdrawn = new Map();
  superseded = new Map();
  #policies = [];
  #witnessKids = new Set();
  #late = [];

  constructor(origin) {
    this.origin = origin;
  }

  /** The key of that role and kid, or null. */
  key(role, kid) {
    const key = this.keys.get(kid);
    return key && key.role === role ? key : null;
  }

  /** Keys of a role, oldest first. */
  of(role) {
    return [...this.keys.values()].filter((key) => key.role === role);
  }

  /** The witness policy in force at `time`: the last one valid from then or before. */
  witnessPolicyAt(time) {
    return this.#policies.findLast(([validFrom]) => validFrom <= time)?.[1] ?? NO_WITNESSES;
  }

  /** Whether a `late-merge` incident covers leaf `index`. */
  isLateMerge(index) {
    return this.#late.some(([first, last]) => first <= index && index <= last);
  }

  /** Add one notice. Raises `ValueError` if it contradicts those before. */
  read({ type, data }) {
    EFFECTS[type].call(this, data);
  }

  addKey(data) {
    const key = new KnownKey(takeString(data, "role"), takeJwk(data.jwk), takeTime(data, "valid_from"));
    const { kid } = key.public;
    if (this.keys.has(kid) || this.#witnessKids.has(kid)) {
      throw new ValueError(`key ${kid} has a role already: no key has two`);
    }
    this.keys.set(kid, key);
  }

  endKey(kid, { validUntil = null, revokedAt = null }) {
    const key = this.keys.get(kid);
    if (!key) throw new ValueError(`key ${kid} is retired or revoked, but was never added`);
    const until = earliest(key.validUntil, validUntil), revoked = earliest(key.revokedAt, revokedAt);
    this.keys.set(kid, new KnownKey(key.role, key.public, key.validFrom, until, revoked));
  }

  addPolicy(data) {
    const validFrom = takeTime(data, "valid_from"), policy = parsePolicy(takeString(data, "policy"));
    if (this.#policies.length && validFrom < this.#policies.at(-1)[0]) {
      throw new ValueError("a witness policy is valid from before the one it follows");
    }
    for (const { public: { kid } } of policy.witnesses.values()) {
      if (this.keys.has(kid)) throw new ValueError(`key ${kid} is a witness's and the operator's`);
      this.#witnessKids.add(kid);
    }
    this.#policies.push([validFrom, policy]);
  }

  noteIncident(data) {
    if (data.kind === "late-merge") this.#late.push([takeInteger(data, "from_index"), takeInteger(data, "to_index")]);
  }
}

const EFFECTS = {
  "key.added": Keyring.prototype.addKey,
  "key.retired"(data) {
    this.endKey(takeString(data, "kid"), { validUntil: takeTime(data, "valid_until") });
  },
  "key.revoked"(data) {
    this.endKey(takeString(data, "kid"), { revokedAt: takeTime(data, "revoked_at") });
  },
  "witness.policy": Keyring.prototype.addPolicy,
  "kit.withdrawn"(data) {
    setOnce(this.withdrawn, takeHash(data, "leaf_hash"), takeString(data, "reason"));
  },
  "kit.superseded"(data) {
    setOnce(this.superseded, takeHash(data, "leaf_hash"), takeHash(data, "by"));
  },
  incident: Keyring.prototype.noteIncident,
};

/** The standing that `notices` yield. Raises `ValueError` if they contradict each other. */
export function readNotices(notices) {
  const keyring = new Keyring(notices.origin);
  for (const notice of notices.notices) keyring.read(notice);
  return keyring;
}

const JWK = ["crv", "kid", "kty", "use", "x"];

/** The keys of a JWKS view alone, without witnesses or the status of kits. Raises `ValueError`. */
export function parseJwks(data, role, origin) {
  const keyring = new Keyring(origin);
  for (const value of takeArray(takeObject(parseJson(data), ["keys"]), "keys")) {
    const members = takeObject(value, [...JWK, "revoked_at", "valid_from", "valid_until"]);
    const publicKey = takeJwk(Object.fromEntries(JWK.map((name) => [name, members[name]])));
    if (keyring.keys.has(publicKey.kid)) throw new ValueError(`key ${publicKey.kid} occurs twice`);
    const known = new KnownKey(
      role,
      publicKey,
      takeTime(members, "valid_from"),
      takeOptional(members, "valid_until", parseTime),
      takeOptional(members, "revoked_at", parseTime),
    );
    keyring.keys.set(publicKey.kid, known);
  }
  return keyring;
}

function earliest(one, other) {
  if (one === null || other === null) return one ?? other;
  return Math.min(one, other);
}

function setOnce(map, key, value) {
  if (!map.has(key)) map.set(key, value);
}

/** A checkpoint and the notices that it commits to. `keyring` is what the notices yield. */
export class TrustRoot {
  constructor(members, checkpoint, notices, keyring) {
    this.members = members;
    this.checkpoint = checkpoint;
    this.notices = notices;
    this.keyring = keyring;
  }

  /** The registry it speaks of. */
  get origin() {
    return this.checkpoint.origin;
  }

  /** SHA-256 of the file. It changes every day; what people compare is the identity. */
  hash() {
    return sha256(formatJson(this.members));
  }

  /**
   * The log's identity: its origin and the registry key that signed the checkpoint, as a verifier key.
   *
   * People compare it over another channel. It changes only when another key takes over signing.
   */
  identity() {
    return new VerifierKey(this.origin, ED25519, this.keyring.keys.get(this.checkpoint.kid).public);
  }
}

/** A trust root. Raises `VerificationError` (trust-root-unusable, schema-newer). */
export async function parseTrust(data) {
  try {
    return await takeTrust(parseJson(data, MAX_TRUST_LENGTH));
  } catch (error) {
    if (error instanceof ValueError || (error instanceof VerificationError && !error.couldNotCheck)) {
      throw new VerificationError("trust-root-unusable", `trust root: ${error.message}`);
    }
    throw error;
  }
}

async function takeTrust(value) {
  const members = takeDocument(value, "trust", ["origin", "checkpoint", "notices"]);
  const checkpoint = takeCheckpoint(members.checkpoint), notices = takeNotices(members.notices);
  const keyring = readNotices(notices);
  const { length } = notices.format();
  if (length > MAX_NOTICES_LENGTH) {
    throw new ValueError(`notices of ${length} bytes, at most ${MAX_NOTICES_LENGTH} are allowed`);
  }
  if (notices.origin !== checkpoint.origin) {
    throw new ValueError(`notices of ${notices.origin} beside a checkpoint of ${checkpoint.origin}`);
  }
  if (notices.hash() !== checkpoint.noticesHash) {
    throw new ValueError(`the checkpoint commits to other notices than these, ${notices.hash()}`);
  }
  const key = keyring.key("registry", checkpoint.kid);
  if (!key || !key.isValidAt(checkpoint.timestamp) || key.isRevokedAt(checkpoint.timestamp)) {
    throw new ValueError(`checkpoint key ${checkpoint.kid} is not a registry key valid at its timestamp`);
  }
  if (!(await key.public.verifies(checkpoint.signature, checkpoint.signedBytes()))) {
    throw new ValueError("the checkpoint's signature is not valid");
  }
  if (takeValue(members, "origin", parseOrigin) !== checkpoint.origin) {
    throw new ValueError(`origin ${members.origin} beside a checkpoint of ${checkpoint.origin}`);
  }
  return new TrustRoot(members, checkpoint, notices, keyring);
}
