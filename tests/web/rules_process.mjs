// Answers calls of the rules of the web app: one JSON array a line, [module, function, ...arguments].

import { createInterface } from "node:readline";

const RULES = new URL("../../chalicelib/web/static/rules/", import.meta.url);

for await (const line of createInterface({ input: process.stdin })) {
  const [module, name, ...givenArguments] = JSON.parse(line);
  const rules = await import(new URL(module, RULES));
  process.stdout.write(`${JSON.stringify({ result: rules[name](...givenArguments) ?? null })}\n`);
}
