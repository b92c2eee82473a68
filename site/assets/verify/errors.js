// Verification errors. The reason words are in words.js, which is made from the Python core's list.
import { COULD_NOT_CHECK } from "./words.js";

/** A value that is not the one spelling it should have; the document parsers say where. */
export class ValueError extends Error {}

/** Something does not verify. `reason` is the word, `files` the kit members it is about. */
export class VerificationError extends Error {
  constructor(reason, message, files = []) {
    super(message);
    this.reason = reason;
    this.files = files;
  }

  /** Whether nothing can be said: no usable input, no usable trust root, no registry, or a newer format. */
  get couldNotCheck() {
    return COULD_NOT_CHECK.includes(this.reason);
  }
}

/** The trust root is of another registry than the kit (origin-mismatch): said before other failures. */
export class ForeignTrustRootError extends VerificationError {}

/** Run a parser; a `ValueError` becomes a `VerificationError` that names the document. */
export function malformed(reason, what, parse) {
  try {
    return parse();
  } catch (error) {
    if (error instanceof ValueError) throw new VerificationError(reason, `${what}: ${error.message}`);
    throw error;
  }
}
