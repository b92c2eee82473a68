// Runs the CDN's function as the edge would: one event a line on stdin, one answer a line on stdout.
//
// The context has no clock, no chance, no timers, no network, and makes no code out of strings. What CloudFront adds to
// the event beside data, rawQueryString(), is added here from the member `rawQuery` (null: no `?` at all).

import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import vm from 'node:vm';

const source = readFileSync(process.argv[2], 'utf8');
const context = vm.createContext(Object.create(null), { codeGeneration: { strings: false, wasm: false } });
vm.runInContext(
    "'use strict'; for (const name of ['Date', 'WebAssembly', 'Atomics', 'SharedArrayBuffer', 'eval', 'Function']) delete globalThis[name];" +
        'delete Math.random;',
    context,
);
vm.runInContext(source, context, { filename: process.argv[2] });
vm.runInContext(
    `globalThis.answer = (line) => {
        const { rawQuery, ...event } = JSON.parse(line);
        event.request.rawQueryString = () => (rawQuery === null ? undefined : rawQuery);
        return JSON.stringify(handler(event));
    };`,
    context,
);
for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    process.stdout.write(`${vm.runInContext('answer', context)(line)}\n`);
}
