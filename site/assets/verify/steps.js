// The fifteen steps of verification in one table, where a new check gets its place (REG-1.0 section 12.4).
import {
  checkContainer, checkDisclosedMembers, checkFiles, checkIssuerKey, checkKitDigest, checkLeaf, checkListedMembers,
  checkManifestRoot, checkReceipt, checkReceiptAlone, checkReceiptSignature, checkTrail,
} from "./steps_kit.js";
import {
  checkAuditPath, checkCheckpoint, checkLeafHash, checkMergeTime, checkNonceTime, checkNotices, checkReceiptOrigin,
  checkWitnesses,
} from "./steps_registry.js";

/**
 * One step: its checks of a kit, of a disclosed record and of a registry receipt by itself.
 *
 * Each check is one part of the step (section 12.3) and runs whatever the part before it came to. A step
 * without a check for a kind of evidence is not checked; neither is one that needs trust, by a JWKS alone.
 */
class Step {
  constructor(name, kit, record = [], receipt = [], needsTrust = false) {
    this.name = name;
    this.kit = kit;
    this.record = record;
    this.receipt = receipt;
    this.needsTrust = needsTrust;
  }
}

const NEEDS_TRUST = true;

/**
 * Steps 1 … 15.
 *
 * A disclosed record comes without the manifest, the hash trail and the intake report of its kit: steps 5 and
 * 10 can't be made, and step 6 only of the receipt and its nonce. A registry receipt has no file to check.
 */
export const STEPS = [
  new Step("container", [checkContainer], [checkContainer]),
  new Step("manifest", [checkListedMembers], [checkDisclosedMembers]),
  new Step("files", [checkFiles], [checkFiles]),
  new Step("manifest root", [checkManifestRoot], [checkManifestRoot]),
  new Step("hash trail", [checkTrail]),
  new Step("receipt", [checkReceipt], [checkReceiptAlone]),
  new Step("issuer key", [checkIssuerKey], [checkIssuerKey]),
  new Step("receipt signature", [checkReceiptSignature], [checkReceiptSignature]),
  new Step("leaf", [checkLeaf], [checkLeaf], [checkLeafHash]),
  new Step("kit digest", [checkKitDigest]),
  new Step("inclusion", [checkAuditPath], [checkAuditPath], [checkAuditPath]),
  new Step("checkpoint", [checkCheckpoint, checkReceiptOrigin], [checkCheckpoint, checkReceiptOrigin], [checkCheckpoint]),
  new Step("witnesses", [checkWitnesses], [checkWitnesses], [checkWitnesses], NEEDS_TRUST),
  new Step("times", [checkNonceTime, checkMergeTime], [checkNonceTime, checkMergeTime], [checkMergeTime]),
  new Step("notices", [checkNotices], [checkNotices], [checkNotices], NEEDS_TRUST),
];
