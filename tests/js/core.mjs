// The browser verifier's modules, for node.
const NAMES = [
  "canonical", "checkpoint", "crc32", "disclosure", "ed25519", "encoding", "errors", "evidence", "files", "intake",
  "contents", "keys", "kit", "leaf", "manifest", "merkle", "note", "notices", "receipt", "report",
  "report_json", "report_text", "sha256", "sha512", "steps", "steps_kit", "steps_registry", "trust", "verifier", "words",
  "zip_reader",
];
const HOME = new URL("../../site/assets/verify/", import.meta.url);

export const CORE = Object.fromEntries(
  await Promise.all(NAMES.map(async (name) => [name, await import(new URL(`${name}.js`, HOME))])),
);

/** A source of bytes in memory. */
export function bytesSource(data) {
  return { size: data.length, read: async (start, end) => data.subarray(start, end) };
}
