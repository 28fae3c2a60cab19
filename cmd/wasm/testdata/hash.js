// Runs the engine of the page: for each line of standard input, which is the
// JSON of an experiment, the SHA-256 of its capture and that of its run.
//
//	node hash.js wasm_exec.js estab.wasm
"use strict";
const fs = require("node:fs");
const { createHash, webcrypto } = require("node:crypto");
globalThis.crypto ??= webcrypto;
require(fs.realpathSync(process.argv[2]));

const sha256 = (data) => createHash("sha256").update(data).digest("hex");

(async () => {
  const go = new Go();
  const { instance } = await WebAssembly.instantiate(fs.readFileSync(process.argv[3]), go.importObject);
  go.run(instance);
  for (const x of fs.readFileSync(0, "utf8").trim().split("\n")) {
    const { head, data } = estab.export("pcapng", x);
    const { problem } = JSON.parse(head);
    if (problem) throw new Error(problem.en);
    console.log(sha256(data), sha256(estab.run(x)));
  }
  process.exit(0);
})().catch((err) => {
  console.error(err.message);
  process.exit(1);
});
