// The log's identity, where a page names it: the registry key that signed the trust root that is served now.
import { parseTrust } from "../verify/trust.js";
import { held } from "./registry.js";
import { need } from "./source.js";

/** Put it into the page. */
export async function showIdentity() {
  const trust = await held("trust.json", async () => parseTrust(await need("v1/trust.json", { fresh: true })));
  for (const place of document.querySelectorAll("[data-identity]")) place.textContent = trust.identity().format();
}
