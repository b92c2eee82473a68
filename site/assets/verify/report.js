// The verification report: how each step ended, the verdict, and the issuance that a verified input shows.

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

/** One step: its number 1 … 15 and name, how it ended, its failures and notes. */
export class StepReport {
  constructor(number, name, status, failures = [], notes = []) {
    this.number = number;
    this.name = name;
    this.status = status;
    this.failures = failures;
    this.notes = notes;
  }
}

/** All steps, in order. `issued` only if the verdict is VERIFIED. */
export class Report {
  constructor(kind, steps, issued) {
    this.kind = kind;
    this.steps = steps;
    this.issued = issued;
    this.failures = steps.flatMap((step) => step.failures);
    this.notes = steps.flatMap((step) => step.notes);
  }

  /** COULD NOT CHECK outranks failures; VERIFIED needs every step that applies to have passed. */
  get verdict() {
    if (this.failures.some((failure) => failure.couldNotCheck)) return COULD_NOT;
    return this.issued ? VERIFIED : NOT_VERIFIED;
  }
}
