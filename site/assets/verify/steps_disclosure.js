// Verification of a disclosed record: the steps of a kit that can be made with one of its records.
//
// The manifest is not there but for one entry, nor the hash trail and the intake report: steps 5 and 10 are
// not made, and of step 6 only what the receipt says of itself and of the nonce.
import { parseDisclosure } from "./disclosure.js";
import { compareText } from "./encoding.js";
import { VerificationError } from "./errors.js";
import { Evidence } from "./evidence.js";
import { CLIENT_NONCE, DISCLOSURE, RECEIPT, isRecord } from "./manifest.js";
import { checkFile, checkNonceHash, mismatch } from "./steps_kit.js";

/** A disclosed record under verification. */
export class DisclosureEvidence extends Evidence {
  constructor(kit, anchors) {
    super(kit, anchors);
    this.disclosure = this.parse(DISCLOSURE, parseDisclosure); // home: step 2
  }

  /** The root that the record's way leads to, which step 4 holds against the receipt. */
  manifestRoot() {
    return this.disclosure.needed().root();
  }
}

/** Step 2: the manifest's entry; the record that it names is there, and no other. */
export function* checkEntry({ kit: { members }, disclosure }) {
  const wanted = [RECEIPT, CLIENT_NONCE, disclosure.atHome().file.path];
  for (const name of wanted.filter((each) => !members.has(each)).sort(compareText)) {
    yield new VerificationError("file-missing", `${name} is missing`, [name]);
  }
  for (const name of [...members.keys()].filter((each) => !wanted.includes(each) && isRecord(each))) {
    yield new VerificationError("file-unexpected", `${name} is not the disclosed record`, [name]);
  }
}

/** Step 3: the record's size and SHA-256. */
export function* checkRecord({ kit, disclosure }) {
  yield* checkFile(kit, disclosure.needed().file);
}

/** Step 4: the way from the entry leads to the receipt's manifest root. */
export function* checkWay(evidence) {
  const found = evidence.manifestRoot(), wanted = evidence.receipt.needed().manifestRoot;
  if (found !== wanted) yield mismatch("manifest-root-mismatch", "manifest root", found, wanted, [DISCLOSURE, RECEIPT]);
}

/** Step 6: the receipt's form, and the nonce that it binds. */
export function* checkReceiptAlone(evidence) {
  evidence.receipt.atHome();
  yield* checkNonceHash(evidence);
}
