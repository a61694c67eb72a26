// node faults.mjs RUNTIME.wasm: what is refused, on models of the folder. A line of JSON a case: what was `given`, the
// `error`, and what it must say.

import { readFileSync } from "node:fs";
import { load } from "../smidgen.js";

const wasm = await WebAssembly.compile(readFileSync(process.argv[2]));
const bytes = (name) => readFileSync(`${name}.smidgen`);
const model = await load(bytes("boosted"), wasm);
const joined = await load(bytes("joined"), wasm);
const freed = await load(bytes("boosted"), wasm);
freed.free();

const row = { day: "2024-01-01 01:30", a: 1, b: "2.5", zone: 3, place: "north", said: "good", z: "no", n: 1 };
const network = Uint8Array.from([0x53, 0x4d, 0x44, 0x47, 1, 0, 1, 128, 0]);
const cut = bytes("boosted").subarray(0, -10);

const cases = [
  ["no file", () => load(new Uint8Array(0), wasm), ["the file is empty"]],
  ["another file", () => load(new TextEncoder().encode("a,b\n1,2\n"), wasm), ["it is no smidgen model"]],
  ["half a file", () => load(cut, wasm), ["the digest differs"]],
  ["a network", () => load(network, wasm), ["networks are not supported here"]],
  ["another WebAssembly file", () => load(Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])), ["is no model"]],
  ["a damaged WebAssembly file", () => load(Uint8Array.from([0, 0x61, 0x73, 0x6d, 9])), ["is no model"]],
  ["the runtime as a model", () => load(readFileSync(process.argv[2])), ["the file is empty"]],
  ["text instead of bytes", () => load("model", wasm), ["expected the bytes of a .smidgen file"]],
  ["a column less", () => model.predict([{ ...row, a: undefined, zone: undefined, Zone: 1 }].map(({ zone, ...rest }) => rest)), ['no column "zone" (did you mean "Zone"?)', "add or rename the column"]],
  ["text in a number", () => model.predict([row, { ...row, b: "12 kg" }]), ['column "b" (3): expected a number, got "12 kg" at row 2']],
  ["text in a number, far down", () => model.predict([...Array(9000).fill(row), { ...row, a: "x" }]), ['column "a" (2): expected a number, got "x" at row 9001']],
  ["an object as a cell", () => model.predict([{ ...row, place: {} }]), ['column "place"', "got a value of type object at row 1"]],
  ["a Date as a category", () => model.predict([{ ...row, place: new Date(0) }]), ['column "place" (5): expected text, got a Date at row 1']],
  ["a zero byte", () => model.predict([{ ...row, place: "a\0b" }]), ["got a zero byte at row 1"]],
  ["columns of two lengths", () => model.predict({ ...Object.fromEntries(Object.entries(row).map(([k, v]) => [k, [v, v]])), a: [1] }), ['column "a": expected 2 cells, got 1']],
  ["no table", () => model.predict(3), ["expected an array of objects or an object of columns, got number"]],
  ["a row of nothing", () => model.predict([row, null]), ["expected an object at row 2"]],
  ["no second table", () => joined.predict([row]), ["the model takes a second table", "second.csv"]],
  ["a model that was freed", () => freed.predict([row]), ["the model was freed"]],
];

for (const [given, refused, says] of cases) {
  let error = null;
  try {
    await refused();
  } catch (thrown) {
    error = thrown.message;
  }
  console.log(JSON.stringify({ given, error, says }));
}
