// Parses an AsyncAPI document with the parser of the AsyncAPI initiative and its rules. It prints every diagnostic and
// exits with 1 when one is an error, when there is no document at the end, or when the document has no channels,
// operations and messages: a check that saw nothing is not passed. For version 3 this parser does not validate examples
// against their payloads; tests/contracts/test_asyncapi.py does.
//
//   npm install --no-package-lock --ignore-scripts && npm run check
//
// There is no lock file on purpose: it would record the address of somebody's registry. The version is exact instead.

import { readFile } from "node:fs/promises";
import { DiagnosticSeverity, Parser } from "@asyncapi/parser";

const [path] = process.argv.slice(2);
if (path === undefined) {
  console.error("usage: node check.mjs DOCUMENT");
  process.exit(2);
}

const { document, diagnostics } = await new Parser().parse(await readFile(path, "utf8"), { source: path });

for (const { severity, code, message, path: where, range } of diagnostics) {
  const level = DiagnosticSeverity[severity].toLowerCase();
  console.log(`${path}:${range.start.line + 1}: ${level}: ${code}: ${where.join(".")}: ${message}`);
}

const errors = diagnostics.filter(({ severity }) => severity === DiagnosticSeverity.Error);
if (errors.length > 0 || document === undefined) {
  console.error(`${path}: ${errors.length} errors`);
  process.exit(1);
}

const counted = {
  channels: document.channels().length,
  operations: document.operations().length,
  messages: document.messages().length,
};
console.log(`${path}: AsyncAPI ${document.version()}, ${JSON.stringify(counted)}`);
process.exit(Object.values(counted).includes(0) ? 1 : 0);
