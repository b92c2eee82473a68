// The evidence under verification, its documents parsed once, and the anchors that the verifier trusts.
//
// A missing or malformed document is reported by one step, its home; every other step that needs it is not
// reached (REG-1.0 section 12.3).
import { parseCheckpoint } from "./checkpoint.js";
import { parseDisclosure } from "./disclosure.js";
import { VerificationError } from "./errors.js";
import { parseReport, parseTrail } from "./intake.js";
import {
  CLIENT_NONCE, DISCLOSURE, HASH_TRAIL, INTAKE_REPORT, MANIFEST, NONCE_CHECKPOINT, RECEIPT, REGISTRY_RECEIPT, parseManifest,
} from "./manifest.js";
import { parseNonce, parseReceipt } from "./receipt.js";
import { parseRegistryReceipt } from "./leaf.js";
import { DISCLOSED_RECORD } from "./report.js";

/** A step's input failed in another step. */
export class NotReachedError extends Error {}

/** What the verifier was given: keys and, from a trust root, a checkpoint, witnesses and notices. */
export class Anchors {
  /**
   * With a JWKS alone `trust` is null: witnesses and notices can't be checked then. `now`: the time that the
   * trust root's age is judged by, in POSIX seconds; without it, nothing is said of its age.
   */
  constructor(keyring, trust, now = null) {
    this.keyring = keyring;
    this.trust = trust;
    this.now = now;
  }

  /** The trust root's checkpoint, or null. */
  get checkpoint() {
    return this.trust?.checkpoint ?? null;
  }
}

/** The anchors that a trust root gives. */
export function anchorsOf(trust, now = null) {
  return new Anchors(trust.keyring, trust, now);
}

/** A parsed document, or why there is none. */
class Document {
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

const NO_KIT = { members: new Map(), documents: new Map() };

/** A kit, a disclosed record of one, or a registry receipt by itself: `alone`, with a kit of no members. */
export class Evidence {
  constructor(kind, anchors, { kit = NO_KIT, alone = null }) {
    this.kind = kind;
    this.kit = kit;
    this.anchors = anchors;
    this.disclosure = this.parse(DISCLOSURE, parseDisclosure); // home: step 2, in the manifest's place
    this.manifest = this.parse(MANIFEST, parseManifest); // home: step 2
    this.trail = this.parse(HASH_TRAIL, parseTrail); // home: step 5
    this.receipt = this.parse(RECEIPT, parseReceipt); // home: step 6
    this.report = this.parse(INTAKE_REPORT, parseReport); // home: step 6
    // home: step 9
    this.registryReceipt = alone ? new Document(alone, null) : this.parse(REGISTRY_RECEIPT, parseRegistryReceipt);
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

  /** Whether the kit's checkpoint is newer than the trust root's and commits to other notices. */
  lacksNotices() {
    const receipt = this.registryReceipt.value, known = this.anchors.checkpoint;
    if (receipt === null || known === null) return false;
    const { sequence, noticesHash } = receipt.checkpoint;
    return sequence > known.sequence && noticesHash !== known.noticesHash;
  }

  /** The time that the nonce's checkpoint shows, or null if it shows none. */
  notBefore() {
    if (this.nonce.needed().checkpoint === null) return null;
    const checkpoint = this.nonceCheckpoint.needed();
    return this.anchors.keyring.keys.get(checkpoint.kid).revokedAt === null ? checkpoint.timestamp : null;
  }

  /** The name of the document that lists the files. */
  get listing() {
    return this.kind === DISCLOSED_RECORD ? DISCLOSURE : MANIFEST;
  }

  /** The manifest's entries, or the one that a disclosed record brings. */
  listedFiles() {
    return this.kind === DISCLOSED_RECORD ? [this.disclosure.needed().file] : this.manifest.needed().files;
  }

  /** The Merkle root over the manifest's entries, or the one that a disclosed record's path leads to. */
  manifestRoot() {
    return (this.kind === DISCLOSED_RECORD ? this.disclosure : this.manifest).needed().root();
  }

  /** A member as its parser reads it. */
  parse(name, parse) {
    try {
      return new Document(parse(this.document(name)), null);
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error;
      if (!error.files.length) error.files = [name];
      return new Document(null, error);
    }
  }
}
