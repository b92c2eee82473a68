// Signatures as JSON lines on stdin, an answer a line: `node signatures.mjs [bundled | throws]`.
//
// Each {public, message, signature} in hex: true, false, or "refused" if the key is none to be trusted. `bundled`:
// without WebCrypto. `throws`: one whose `verify` fails whatever it is asked.
import { createInterface } from "node:readline";

const [crypto] = process.argv.slice(2);
if (crypto) {
  const subtle = { importKey: async () => ({}), verify: async () => { throw new DOMException("no", "OperationError"); } };
  Object.defineProperty(globalThis, "crypto", { value: crypto === "throws" ? { subtle } : undefined });
}
const { CORE } = await import("./core.mjs");
const { ValueError } = CORE.errors;
const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

async function judge({ public: key, message, signature }) {
  try {
    return await new CORE.keys.PublicKey(bytes(key)).verifies(bytes(signature), bytes(message));
  } catch (error) {
    if (error instanceof ValueError) return "refused";
    throw error;
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await judge(JSON.parse(line)))}\n`);
}
