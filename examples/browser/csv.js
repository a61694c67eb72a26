// Tables as CSV (RFC 4180): read as the command line reads them, written as `smidgen predict` writes them.

/// The table of a CSV text: `names` of the columns, trimmed, and `rows` of cells as they are written. Quotes hold
/// delimiters, line ends and, written twice, quotes; lines end with LF, CRLF or CR; a byte order mark and blank lines are
/// passed over. The delimiter is the one of , ; tab | that the first line has most of.
export function parse(text) {
  if (text.charCodeAt(0) === 0xfeff) text = text.slice(1);
  const records = split(text, delimiterOf(text));
  const first = records.next();
  if (first.done) throw new Error("the CSV file is empty: expected a line with the names of the columns");
  const names = first.value.map((name) => name.trim());
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new Error(`the CSV file has two columns "${twice}"; rename one`);
  const rows = [];
  for (const cells of records) {
    rows.push(cells);
    if (cells.length !== names.length) {
      throw new Error(`row ${rows.length} of the CSV file: expected ${names.length} cells, got ${cells.length}; look for a quote or a delimiter too many`);
    }
  }
  return { names, rows };
}

function delimiterOf(text) {
  const counts = { ",": 0, ";": 0, "\t": 0, "|": 0 };
  let quoted = false;
  for (const c of text) {
    if (c === '"') quoted = !quoted;
    else if (!quoted && (c === "\n" || c === "\r")) break;
    else if (!quoted && c in counts) counts[c] += 1;
  }
  return Object.keys(counts).reduce((best, d) => (counts[d] > counts[best] ? d : best));
}

/// The records of a text, blank lines left out.
function* split(text, delimiter) {
  let at = 0;
  while (at < text.length) {
    const start = at;
    const cells = [];
    for (;;) {
      let cell = "";
      if (text[at] === '"') {
        for (;;) {
          const end = text.indexOf('"', at + 1);
          if (end < 0) throw new Error("the CSV file ends within quotes; close them");
          cell += text.slice(at + 1, end);
          at = end + 1;
          if (text[at] !== '"') break;
          cell += '"';
        }
      }
      const plain = at;
      while (at < text.length && text[at] !== delimiter && text[at] !== "\n" && text[at] !== "\r") at += 1;
      cells.push(cell + text.slice(plain, at));
      if (text[at] !== delimiter) break;
      at += 1;
    }
    const isBlank = cells.length === 1 && text.slice(start, at).trim() === "";
    if (text[at] === "\r" && text[at + 1] === "\n") at += 1;
    at += 1;
    if (!isBlank) yield cells;
  }
}

/// A table as CSV text.
export function write(names, rows) {
  return [names, ...rows].map(record).join("");
}

function record(cells) {
  const spelt = cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell));
  // A line of one empty cell would be a blank line.
  return (spelt.length === 1 && spelt[0] === "" ? '""' : spelt.join(",")) + "\n";
}

/// The shortest decimal that reads back to a double, whole numbers without a point; missing is an empty cell.
export function number(value) {
  return value === null || Number.isNaN(value) ? "" : spelt(value, value.toExponential());
}

/// The same of a number of single precision.
export function single(value) {
  for (let digits = 0; digits < 9; digits++) {
    const text = value.toExponential(digits);
    if (Math.fround(Number(text)) === value) return spelt(value, text);
  }
  return spelt(value, value.toExponential());
}

/// Digits as Rust places them: an exponent below 1e-4 and from 1e16 on.
function spelt(value, exponential) {
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const [mantissa, exponent] = exponential.split("e");
  const sign = mantissa.startsWith("-") ? "-" : "";
  const digits = mantissa.replace(/[-.]/g, "").replace(/0+$/, "") || "0";
  const point = Number(exponent) + 1;
  if (Math.abs(value) >= 1e16 || Math.abs(value) < 1e-4) {
    const behind = digits.slice(1);
    return `${sign}${digits[0]}${behind && `.${behind}`}e${Number(exponent)}`;
  }
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  const whole = digits.padEnd(point, "0");
  const behind = whole.slice(point);
  return sign + whole.slice(0, point) + (behind && `.${behind}`);
}

/// Names and cells of predictions, in the columns of `smidgen predict --proba`.
export function predicted(signature, predictions) {
  const { task, classes, targets, columns } = signature;
  if (task === "transform") {
    return { names: columns, rows: predictions.map((row) => columns.map((name) => number(row.columns[name]))) };
  }
  const each = targets.length > 0 ? targets : [{ name: null, classes }];
  const of = (row, name, member) => (name === null ? row[member] : row[member][name]);
  const names = each.flatMap(({ name, classes }) => {
    const [behind, front] = name === null ? ["", ""] : [`_${name}`, `${name}_`];
    return [`prediction${behind}`, ...classes.map((c) => `p_${front}${c}`)];
  });
  const cells = (row) =>
    each.flatMap(({ name, classes }) => {
      const prediction = of(row, name, "prediction");
      if (classes.length === 0) return [number(prediction)];
      const p = of(row, name, "probabilities");
      return [prediction, ...classes.map((c) => single(p[c]))];
    });
  return { names, rows: predictions.map(cells) };
}
