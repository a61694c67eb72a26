// Models of tables in JavaScript: `load` a .smidgen file, or one that `export --to wasm` wrote, `predict` rows, in browsers
// and in Node.js.
//
// An ES module without dependencies. What a cell means (missing, numbers, categories, times) and every prediction come
// from smidgen_wasm.wasm, which is the runtime of the command line, or from the model's own WebAssembly; here columns are
// found by name, cells are packed, and outputs get the names of the user's classes.

const KINDS = { missing: 0, number: 1, text: 2, truth: 3, time: 4 };

/// Rows that are handed over at a time, unless rows hang on one another.
const CHUNK = 8192;

/// The first bytes of a WebAssembly file.
const WEBASSEMBLY = [0x00, 0x61, 0x73, 0x6d];

const modules = new Map();

/// The compiled module of `wasm`: a module, its bytes, or where they are.
async function compiled(wasm) {
  if (wasm instanceof WebAssembly.Module) return wasm;
  if (wasm instanceof ArrayBuffer || ArrayBuffer.isView(wasm)) return WebAssembly.compile(wasm);
  const url = new URL(wasm, import.meta.url);
  if (!modules.has(url.href)) modules.set(url.href, fetched(url).then((bytes) => WebAssembly.compile(bytes)));
  try {
    return await modules.get(url.href);
  } catch (error) {
    modules.delete(url.href);
    throw error;
  }
}

async function fetched(url) {
  if (url.protocol === "file:" && typeof process !== "undefined") {
    const { readFile } = await import("node:fs/promises");
    return readFile(url);
  }
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: expected a WebAssembly file, got status ${response.status}`);
  return response.arrayBuffer();
}

/// The model of a .smidgen file, or of a WebAssembly file that is a model. `bytes` are an ArrayBuffer, an array of bytes,
/// or anything with `arrayBuffer()` (a File, a Response); `wasm` is the runtime of .smidgen files: where it is, its bytes,
/// or a WebAssembly.Module.
export async function load(bytes, wasm = "smidgen_wasm.wasm") {
  if (typeof bytes?.arrayBuffer === "function") bytes = await bytes.arrayBuffer();
  if (!(bytes instanceof ArrayBuffer) && !ArrayBuffer.isView(bytes)) {
    throw new TypeError("load: expected the bytes of a .smidgen file as an ArrayBuffer or an array of bytes");
  }
  const view = ArrayBuffer.isView(bytes)
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes);
  // An instance for each model, so that its memory goes with it.
  if (WEBASSEMBLY.every((byte, at) => view[at] === byte)) return new Model(await own(view), new Uint8Array(0));
  const instance = await WebAssembly.instantiate(await compiled(wasm), {});
  return new Model(instance.exports, view);
}

/// The exports of a WebAssembly file that is a model.
async function own(bytes) {
  const { instance, error } = await WebAssembly.instantiate(bytes, {}).catch((error) => ({ error }));
  if (!instance?.exports.smidgen_load) {
    const what = "load: this WebAssembly file is no model; write one by smidgen export --to wasm";
    throw new Error(what, { cause: error });
  }
  return instance.exports;
}

class Model {
  #exports;
  #handle = 0;
  #names;

  constructor(exports, bytes) {
    this.#exports = exports;
    const answer = this.#given(bytes, (at, length) => exports.smidgen_load(at, length));
    this.#handle = new DataView(answer.buffer).getUint32(0, true);
    this.#names = JSON.parse(text(this.#answer(() => exports.smidgen_signature(this.#handle))));
  }

  /// What the model takes and gives: `task`, `target`, `targets`, `inputs` and `joined` (each column with `name`, `kind`
  /// and `dtype`), `outputs`, `classes`, `positive`, `missing`, `columns` (those that it makes) and `whole` (true if rows
  /// hang on other rows).
  get signature() {
    return this.#names;
  }

  /// One object a row, in order: `prediction`, and of classes `probabilities` by class. Of several targets both are
  /// objects by target; a model that makes columns gives `columns` by name, null where one is missing.
  ///
  /// `rows` is an array of objects, or an object of columns (arrays of equal length). Cells are numbers, text as a CSV
  /// file would spell it, true or false, Date, BigInt, or null. `join` are the rows of the second table, where the model
  /// takes one.
  predict(rows, { join } = {}) {
    const { inputs, joined, whole } = this.#names;
    const table = found(rows, inputs, "table");
    if (joined && join === undefined) {
      throw new Error(`predict: the model takes a second table (at fit it was ${joined.table}); hand it over as join`);
    }
    const second = joined ? packed(found(join, joined.inputs, "second table"), 0, Infinity) : null;
    const all = [];
    const step = whole ? Math.max(table.length, 1) : CHUNK;
    for (let start = 0; start < table.length; start += step) {
      const n = Math.min(step, table.length - start);
      const parts = [packed(table, start, n)];
      if (second) parts.push(second);
      const answer = this.#given(joinedBytes(parts), (at, length) =>
        this.#exports.smidgen_predict(this.#handle, at, length),
      );
      for (const row of named(answer.buffer, n, this.#names)) all.push(row);
    }
    return all;
  }

  /// Runs the self-test of the file here: `digest` (the file's, or null), `paths` (each with `path`, `digest` and
  /// `verdict`), and `ok`, true if all of them compute the file's digest.
  verify() {
    const made = JSON.parse(text(this.#answer(() => this.#exports.smidgen_verify(this.#handle))));
    return { ok: made.paths.every((path) => path.verdict === "ok"), ...made };
  }

  /// Gives the memory back; the model cannot be used any more.
  free() {
    if (this.#handle) this.#exports.smidgen_drop(this.#handle);
    this.#handle = 0;
    this.#exports = null;
  }

  /// What a call answers; throws what it says in words.
  #answer(call) {
    if (!this.#exports) throw new Error("the model was freed; load it again");
    let at;
    try {
      at = call();
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      throw new Error("the runtime stopped: its memory is full, or this is a bug; load the model again", { cause: error });
    }
    const { memory, smidgen_give } = this.#exports;
    const [status, length] = new Uint32Array(memory.buffer, at, 2);
    const bytes = new Uint8Array(memory.buffer).slice(at + 8, at + 8 + length);
    smidgen_give(at, 8 + length);
    if (status !== 0) throw new Error(text(bytes));
    return bytes;
  }

  /// As `#answer`, of a call that is given bytes.
  #given(bytes, call) {
    let at = 0;
    try {
      return this.#answer(() => {
        at = this.#exports.smidgen_take(bytes.length);
        new Uint8Array(this.#exports.memory.buffer).set(bytes, at);
        return call(at, bytes.length);
      });
    } finally {
      if (at) this.#exports.smidgen_give(at, bytes.length);
    }
  }
}

function text(bytes) {
  return new TextDecoder().decode(bytes);
}

function joinedBytes(parts) {
  const all = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/// The columns of `inputs` in a table: how to get a cell of each, and their places.
function found(rows, inputs, what) {
  const isRows = Array.isArray(rows);
  if (!isRows && (rows === null || typeof rows !== "object")) {
    throw new TypeError(`${what}: expected an array of objects or an object of columns, got ${rows === null ? "null" : typeof rows}`);
  }
  const places = new Map();
  const place = (name) => places.has(name) || places.set(name, places.size + 1);
  if (isRows) {
    rows.forEach((row, at) => {
      if (row === null || typeof row !== "object") throw new TypeError(`${what}: expected an object at row ${at + 1}, got ${row}`);
      Object.keys(row).forEach(place);
    });
  } else {
    Object.keys(rows).forEach(place);
  }
  const length = isRows ? rows.length : (Object.values(rows)[0]?.length ?? 0);
  if (length > 0 || !isRows) refuseMissing(places, inputs, what);
  const columns = inputs.map(({ name }) => {
    const column = isRows ? null : rows[name];
    if (!isRows && column?.length !== length) {
      throw new Error(`${what}: column "${name}": expected ${length} cells, got ${column?.length ?? "no array"}`);
    }
    const cell = isRows ? (row) => rows[row][name] : (row) => column[row];
    return { name, position: places.get(name), cell };
  });
  return { columns, length, what };
}

/// Throws the names of all columns that are not there, with the most alike of those that are not taken.
function refuseMissing(places, inputs, what) {
  const missing = inputs.filter(({ name }) => !places.has(name));
  if (missing.length === 0) return;
  const used = new Set(inputs.map(({ name }) => name));
  const free = [...places.keys()].filter((name) => !used.has(name));
  const told = missing.map(({ name }) => {
    const alike = nearest(name, free);
    return `no column "${name}"` + (alike === null ? "" : ` (did you mean "${alike}"?)`);
  });
  throw new Error(`${what}: ${told.join(", ")}; add or rename the column`);
}

/// The candidate most like a name, or null: the measure of `data::nearest` (characters inserted, removed, replaced or
/// swapped; at most a third may differ).
function nearest(name, candidates) {
  const fold = (text) => [...text.toLowerCase()].map((c) => (" -.".includes(c) ? "_" : c));
  const wanted = fold(name);
  let best = null;
  let least = Infinity;
  for (const candidate of candidates) {
    const given = fold(candidate);
    const allowed = Math.max(Math.floor(Math.max(wanted.length, given.length) / 3), 1);
    const far = distance(wanted, given);
    if (far <= allowed && far < least) [best, least] = [candidate, far];
  }
  return best;
}

function distance(a, b) {
  let before = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  a.forEach((x, i) => {
    const row = [i + 1];
    b.forEach((y, j) => {
      let cost = Math.min(last[j] + (x === y ? 0 : 1), last[j + 1] + 1, row[j] + 1);
      if (i > 0 && j > 0 && x === b[j - 1] && a[i - 1] === y) cost = Math.min(cost, before[j - 1] + 1);
      row.push(cost);
    });
    before = last;
    last = row;
  });
  return last[b.length];
}

/// Rows of a table as the runtime takes them; see apps/wasm/src/table.rs for the layout.
function packed(table, start, most) {
  const n = Math.min(table.length - start, most);
  const parts = [words([n, start + 1, table.columns.length])];
  for (const { name, position, cell } of table.columns) {
    const kinds = new Uint8Array(n);
    const numbers = new DataView(new ArrayBuffer(8 * n));
    const ends = new Uint32Array(n);
    const bytes = new Bytes();
    let holds = 0;
    for (let row = 0; row < n; row++) {
      const value = cell(start + row);
      const kind = kindOf(value);
      if (kind === null) {
        const got = Array.isArray(value) ? "an array" : `a value of type ${typeof value}`;
        throw new Error(`${table.what}: column "${name}" (${position}): expected a number, text, true, false, a Date or null, got ${got} at row ${start + row + 1}`);
      }
      kinds[row] = kind;
      if (kind === KINDS.text) {
        holds |= 2;
        bytes.add(String(value));
      } else if (kind !== KINDS.missing) {
        holds |= 1;
        numbers.setFloat64(8 * row, Number(value), true);
      }
      ends[row] = bytes.length;
    }
    parts.push(words([position, holds, bytes.length]), kinds);
    if (holds & 1) parts.push(new Uint8Array(numbers.buffer));
    if (holds & 2) parts.push(words(ends));
    parts.push(bytes.written());
  }
  return joinedBytes(parts);
}

function kindOf(value) {
  if (value === null || value === undefined) return KINDS.missing;
  switch (typeof value) {
    case "number":
      return KINDS.number;
    case "string":
    case "bigint":
      return KINDS.text;
    case "boolean":
      return KINDS.truth;
    default:
      return value instanceof Date ? KINDS.time : null;
  }
}

/// Whole numbers of 4 bytes, little endian on every machine.
function words(numbers) {
  const view = new DataView(new ArrayBuffer(4 * numbers.length));
  numbers.forEach((number, at) => view.setUint32(4 * at, number, true));
  return new Uint8Array(view.buffer);
}

/// Text as UTF-8, one after the other.
class Bytes {
  length = 0;
  #room = new Uint8Array(1024);
  #encoder = new TextEncoder();

  add(text) {
    const most = this.length + 3 * text.length;
    if (most > this.#room.length) {
      const larger = new Uint8Array(2 * most);
      larger.set(this.#room.subarray(0, this.length));
      this.#room = larger;
    }
    this.length += this.#encoder.encodeInto(text, this.#room.subarray(this.length)).written;
  }

  written() {
    return this.#room.subarray(0, this.length);
  }
}

/// Outputs by row, in the user's names.
function named(buffer, n, { task, classes, targets, outputs, columns }) {
  const view = new DataView(buffer);
  let at = 0;
  // Reads `width` elements a row; outputs start at multiples of 8 bytes.
  const output = (width, size, element) => {
    const first = at;
    at += Math.ceil((n * width * size) / 8) * 8;
    return (row, k) => element(first + size * (row * width + k));
  };
  const several = targets.length > 0;
  const each = several ? targets : [{ classes }];
  const made = [];
  const counts = {};
  for (const role of outputs) {
    const nth = (counts[role] = (counts[role] ?? -1) + 1);
    if (role === "probability") {
      const of = each[nth].classes;
      const p = output(of.length, 4, (byte) => view.getFloat32(byte, true));
      made.push({ member: "probabilities", nth, of: (row) => Object.fromEntries(of.map((c, k) => [c, p(row, k)])) });
    } else if (role === "label") {
      const label = output(1, 4, (byte) => view.getInt32(byte, true));
      made.push({ member: "prediction", nth, of: (row) => each[nth].classes[label(row, 0)] });
    } else if (role === "value" || role === "column") {
      const value = output(1, 8, (byte) => view.getFloat64(byte, true));
      const of = role === "value" ? (row) => value(row, 0) : (row) => (Number.isNaN(value(row, 0)) ? null : value(row, 0));
      made.push({ member: role === "value" ? "prediction" : "columns", nth, of });
    }
  }
  return Array.from({ length: n }, (_, row) => {
    const out = task === "transform" ? { columns: {} } : { prediction: several ? {} : undefined };
    for (const { member, nth, of } of made) {
      if (member === "columns") out.columns[columns[nth]] = of(row);
      else if (several) (out[member] ??= {})[targets[nth].name] = of(row);
      else out[member] = of(row);
    }
    return out;
  });
}
