// node score.mjs RUNTIME.wasm NAME..: for each name the model NAME.smidgen (or NAME.wasm, where the runtime is `own`) and,
// where it is there, the rows of NAME.csv
// (NAME.join.csv the second table). Writes NAME.out.csv as `smidgen predict --proba` would, and one line of JSON a model:
// the signature and what `verify` says, or the error.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { load } from "../smidgen.js";
import { parse, predicted, write } from "../../../examples/browser/csv.js";

const columns = (file) => {
  const { names, rows } = parse(readFileSync(file, "utf8"));
  return Object.fromEntries(names.map((name, k) => [name, rows.map((cells) => cells[k])]));
};

const [runtime, ...names] = process.argv.slice(2);
const isOwn = runtime === "own";
const wasm = isOwn ? undefined : await WebAssembly.compile(readFileSync(runtime));
for (const name of names) {
  const said = { name };
  try {
    const model = await load(readFileSync(`${name}.${isOwn ? "wasm" : "smidgen"}`), wasm);
    said.signature = model.signature;
    said.verify = model.verify();
    if (existsSync(`${name}.csv`)) {
      const join = existsSync(`${name}.join.csv`) ? columns(`${name}.join.csv`) : undefined;
      const made = predicted(model.signature, model.predict(columns(`${name}.csv`), { join }));
      writeFileSync(`${name}.out.csv`, write(made.names, made.rows));
    }
    model.free();
  } catch (error) {
    said.error = error.message;
  }
  console.log(JSON.stringify(said));
}
