// The fingerprint of the trust root that is served now, where a page names it.
import { sha256 } from "../verify/sha256.js";
import { need } from "./source.js";

/** Put it into the page. */
export async function showFingerprint() {
  const fingerprint = sha256(await need("v1/trust.json", { fresh: true }));
  for (const place of document.querySelectorAll("[data-fingerprint]")) place.textContent = fingerprint;
}
