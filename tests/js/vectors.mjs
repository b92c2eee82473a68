// Vectors as JSON lines on stdin, an answer a line: `node vectors.mjs [--without-webcrypto]`.
import { createInterface } from "node:readline";

if (process.argv.includes("--without-webcrypto")) {
  Object.defineProperty(globalThis, "crypto", { value: undefined }); // before any module looks for it
}
const { judgeVector } = await import("./judge.mjs");
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await judgeVector(JSON.parse(line).input))}\n`);
}
