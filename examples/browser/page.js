// The page: a model and a table are dropped or chosen, predictions are shown and saved.

import { load } from "../../apps/wasm/smidgen.js";
import { parse, predicted, write } from "./csv.js";

/// Where the runtime is: `cargo build -p smidgen-wasm --profile wasm --target wasm32-unknown-unknown` puts it there.
const RUNTIME = new URLSearchParams(location.search).get("runtime")
  ?? "../../target/wasm32-unknown-unknown/wasm/smidgen_wasm.wasm";

/// Rows that are predicted before the page is drawn again, and rows that it shows.
const STEP = 4096;
const SHOWN = 100;

const at = (id) => document.getElementById(id);
let model = null;
let table = null;
let tableFile = "table.csv";
let result = null;
/// Counts what was asked for, so that only the latest answer is shown.
let asked = 0;

function say(text, bad = false) {
  at("said").textContent = text;
  at("said").classList.toggle("bad", bad);
}

async function take(files) {
  const turn = ++asked;
  try {
    for (const file of files) {
      if (/\.(smidgen|wasm)$/i.test(file.name)) {
        const read = await load(file, new URL(RUNTIME, location.href));
        model?.free();
        model = read;
        at("model-name").textContent = `${file.name}: ${model.signature.task}, ${model.signature.inputs.length} columns`;
      } else {
        table = parse(await file.text());
        tableFile = file.name;
        at("table-name").textContent = `${file.name}: ${table.rows.length} rows, ${table.names.length} columns`;
      }
    }
    await predict(turn);
  } catch (error) {
    if (turn !== asked) return;
    hide();
    say(error.message, true);
  }
}

function hide() {
  for (const id of ["progress", "save", "rows"]) at(id).hidden = true;
}

async function predict(turn) {
  hide();
  if (!model || !table) {
    say(model ? "Now a table." : "Now a model.");
    return;
  }
  say("Predicting ..");
  at("progress").hidden = false;
  const { names, rows } = table;
  const n = rows.length;
  const step = model.signature.whole ? Math.max(n, 1) : STEP;
  const predictions = [];
  for (let start = 0; start < n; start += step) {
    const part = rows.slice(start, start + step);
    for (const row of predictedRows(names, part, start)) predictions.push(row);
    at("progress").value = Math.min(start + step, n) / n;
    // Lets the page be drawn, and other files be dropped.
    await new Promise((next) => setTimeout(next));
    if (turn !== asked) return;
  }
  result = predicted(model.signature, predictions);
  at("progress").hidden = true;
  show();
  say(`${n} rows predicted${n > SHOWN ? `; the first ${SHOWN} are shown` : ""}.`);
}

/// Predictions of some rows; an error names the row of the whole table.
function predictedRows(names, rows, start) {
  const columns = Object.fromEntries(names.map((name, k) => [name, rows.map((cells) => cells[k])]));
  try {
    return model.predict(columns);
  } catch (error) {
    throw new Error(error.message.replace(/ at row (\d+)/, (_, row) => ` at row ${Number(row) + start}`));
  }
}

function show() {
  const head = [...result.names, ...table.names];
  const lines = table.rows.slice(0, SHOWN).map((cells, row) => [...result.rows[row], ...cells]);
  const drawn = document.createElement("table");
  const line = drawn.createTHead().insertRow();
  for (const name of head) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = name;
    line.append(cell);
  }
  const body = drawn.createTBody();
  for (const cells of lines) {
    const row = body.insertRow();
    for (const [k, text] of cells.entries()) {
      const cell = row.insertCell();
      const isNumber = text.trim() !== "" && Number.isFinite(Number(text));
      cell.className = isNumber ? "number" : "";
      // Probabilities are shown short; the file has all digits.
      cell.textContent = isNumber && head[k].startsWith("p_") && k < result.names.length ? Number(text).toFixed(4) : text;
    }
  }
  at("rows").replaceChildren(drawn);
  at("rows").hidden = false;
  at("save").hidden = false;
}

/// The table with predictions behind its columns, as CSV.
function whole() {
  return write([...table.names, ...result.names], table.rows.map((cells, row) => [...cells, ...result.rows[row]]));
}

at("save").addEventListener("click", () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([whole()], { type: "text/csv" }));
  link.download = tableFile.replace(/(\.csv)?$/i, "_predicted.csv");
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
});

for (const id of ["model", "table"]) {
  at(id).addEventListener("change", (event) => take([...event.target.files]));
}
addEventListener("dragover", (event) => {
  event.preventDefault();
  at("drop").classList.add("over");
});
addEventListener("dragleave", () => at("drop").classList.remove("over"));
addEventListener("drop", (event) => {
  event.preventDefault();
  at("drop").classList.remove("over");
  take([...event.dataTransfer.files]);
});

say("Waiting for a model and a table.");
