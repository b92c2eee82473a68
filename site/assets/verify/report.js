// The verification report: how each step ended, the verdict, and the issuance that a verified input shows.
import { ForeignTrustRootError } from "./errors.js";

/** What a report can be about. */
export const KIT = "kit";
export const REGISTRY_RECEIPT_ALONE = "registry-receipt";
export const DISCLOSED_RECORD = "disclosed-record";

/** How a step ended. */
export const PASSED = "passed";
export const FAILED = "failed";
export const NOT_REACHED = "not-reached";
export const NOT_CHECKED = "not-checked";

/** What a report comes to: exactly three. */
export const VERIFIED = "VERIFIED";
export const NOT_VERIFIED = "NOT VERIFIED";
export const COULD_NOT = "COULD NOT CHECK";

/** A remark about a kit that does not make it fail; `files` are those that it is about. */
export class Aside {
  constructor(remark, message, files = []) {
    this.remark = remark;
    this.message = message;
    this.files = files;
  }
}

/** Why a step that passes proves nothing: no display shows it as a proof that held. */
export class Unproven {
  constructor(message) {
    this.message = message;
  }
}

/** Failures that notices newer than the trust root may explain (REG-1.0 section 12.5). */
export const LATER_NOTICES = ["issuer-key-unknown", "late-merge-unexplained"];

/**
 * One step: its number 1 … 15 and name, how it ended, its failures and notes. `unproven`: why a step that passed
 * proves nothing, or null.
 */
export class StepReport {
  constructor(number, name, status, failures = [], notes = [], unproven = null) {
    this.number = number;
    this.name = name;
    this.status = status;
    this.failures = failures;
    this.notes = notes;
    this.unproven = unproven;
  }
}

/**
 * All steps, in order. `issued` only if the verdict is VERIFIED. `lacksNotices`: the kit's checkpoint is newer than
 * the trust root's and commits to other notices.
 */
export class Report {
  constructor(kind, steps, issued, lacksNotices = false) {
    this.kind = kind;
    this.steps = steps;
    this.issued = issued;
    this.lacksNotices = lacksNotices;
    this.failures = steps.flatMap((step) => step.failures);
    this.notes = steps.flatMap((step) => step.notes);
  }

  /**
   * The failure to say first, or null. Why nothing can be said comes before a trust root of another registry,
   * before the others in order of steps, before what newer notices may explain.
   */
  get first() {
    const rank = (failure) => {
      if (failure.couldNotCheck) return 0;
      if (failure instanceof ForeignTrustRootError) return 1;
      return this.lacksNotices && LATER_NOTICES.includes(failure.reason) ? 3 : 2;
    };
    return [...this.failures].sort((one, other) => rank(one) - rank(other))[0] ?? null;
  }

  /** COULD NOT CHECK outranks failures; VERIFIED needs every step that applies to have passed. */
  get verdict() {
    if (this.failures.some((failure) => failure.couldNotCheck)) return COULD_NOT;
    return this.issued ? VERIFIED : NOT_VERIFIED;
  }
}
