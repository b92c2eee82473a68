// What verification looks at: a kit's documents, parsed once, and what the verifier trusts.
//
// A document that does not parse is reported by the one step it is home to; every other step that
// needs it is not reached.
import { parseCheckpoint } from "./checkpoint.js";
import { VerificationError } from "./errors.js";
import {
  CLIENT_NONCE, HASH_TRAIL, INTAKE_REPORT, MANIFEST, NONCE_CHECKPOINT, RECEIPT, REGISTRY_RECEIPT, parseManifest,
} from "./manifest.js";
import { parseNonce } from "./nonce.js";
import { parseReceipt } from "./receipt.js";
import { parseRegistryReceipt } from "./registry_receipt.js";
import { parseReport } from "./report.js";
import { parseTrail } from "./trail.js";

/** A step's input failed in another step. */
export class NotReachedError extends Error {}

/** Something to know about a kit that does not make it fail. */
export class Aside {
  constructor(remark, message) {
    this.remark = remark;
    this.message = message;
  }
}

/** What the verifier was given: keys and, from a trust root, a checkpoint, witnesses and notices. */
export class Anchors {
  /** With a JWKS alone `trust` is null: witnesses and notices can't be checked then. */
  constructor(keyring, trust) {
    this.keyring = keyring;
    this.trust = trust;
  }

  /** The trust root's checkpoint, or null. */
  get checkpoint() {
    return this.trust?.checkpoint ?? null;
  }
}

/** The anchors that a trust root gives. */
export function anchorsOf(trust) {
  return new Anchors(trust.keyring, trust);
}

/** A parsed document, or why there is none. */
class Outcome {
  constructor(value, error) {
    this.value = value;
    this.error = error;
  }

  /** The document, in the step that reports its failure. Raises `VerificationError`. */
  atHome() {
    if (this.error) throw this.error;
    return this.needed();
  }

  /** The document, in any other step. Raises `NotReachedError`. */
  needed() {
    if (this.value === null) throw new NotReachedError();
    return this.value;
  }
}

/** A kit under verification. */
export class Evidence {
  constructor(kit, anchors) {
    this.kit = kit;
    this.anchors = anchors;
    this.manifest = this.parse(MANIFEST, parseManifest); // home: step 2
    this.trail = this.parse(HASH_TRAIL, parseTrail); // home: step 5
    this.receipt = this.parse(RECEIPT, parseReceipt); // home: step 6
    this.report = this.parse(INTAKE_REPORT, parseReport); // home: step 6
    this.registryReceipt = this.parse(REGISTRY_RECEIPT, parseRegistryReceipt); // home: step 9
    this.nonce = this.parse(CLIENT_NONCE, parseNonce); // home: step 14
    this.nonceCheckpoint = this.parse(NONCE_CHECKPOINT, parseCheckpoint); // home: step 14
  }

  /** A member's bytes. Raises `VerificationError` (file-missing; registry-receipt-missing). */
  document(name) {
    const data = this.kit.documents.get(name);
    if (!data) {
      const reason = name === REGISTRY_RECEIPT ? "registry-receipt-missing" : "file-missing";
      throw new VerificationError(reason, `${name} is missing`, [name]);
    }
    return data;
  }

  /** SHA-256 of a member that other documents name; not reached if it is missing. */
  documentHash(name) {
    const member = this.kit.members.get(name);
    if (!member) throw new NotReachedError();
    return member.sha256;
  }

  /** The time that the nonce's checkpoint shows, or null if it shows none. */
  notBefore() {
    if (this.nonce.needed().checkpoint === null) return null;
    const checkpoint = this.nonceCheckpoint.needed();
    return this.anchors.keyring.keys.get(checkpoint.kid).revokedAt === null ? checkpoint.timestamp : null;
  }

  /** The Merkle root over the manifest's entries. */
  manifestRoot() {
    return this.manifest.needed().root();
  }

  /** A member as its parser reads it. */
  parse(name, parse) {
    try {
      return new Outcome(parse(this.document(name)), null);
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error;
      if (!error.files.length) error.files = [name];
      return new Outcome(null, error);
    }
  }
}
