//! Codes of columns, and trees and tables over codes.

//: _key_f64
/// The integer that orders doubles as numbers are; -0 is 0.
fn _key_f64(x: f64) -> i64 {
    let bits = x.to_bits() as i64;
    let key = if bits < 0 { bits ^ i64::MAX } else { bits };
    if key == -1 { 0 } else { key }
}

//: bin_i64_i64
/// The code of an integer: the number of edges below it, `missing` where it is missing. Edges rise.
fn bin_i64_i64(code: &mut u8, x: i64, is_missing: bool, edges: &[i64], _n: usize, missing: i64) {
    *code = if is_missing { missing as u8 } else { edges.partition_point(|&e| x > e as i64) as u8 };
}

//: bin_i64_i32
/// The code of an integer: the number of edges below it, `missing` where it is missing. Edges rise.
fn bin_i64_i32(code: &mut u8, x: i64, is_missing: bool, edges: &[i32], _n: usize, missing: i64) {
    *code = if is_missing { missing as u8 } else { edges.partition_point(|&e| x > e as i64) as u8 };
}

//: bin_i64_i16
/// The code of an integer: the number of edges below it, `missing` where it is missing. Edges rise.
fn bin_i64_i16(code: &mut u8, x: i64, is_missing: bool, edges: &[i16], _n: usize, missing: i64) {
    *code = if is_missing { missing as u8 } else { edges.partition_point(|&e| x > e as i64) as u8 };
}

//: bin_i64_i8
/// The code of an integer: the number of edges below it, `missing` where it is missing. Edges rise.
fn bin_i64_i8(code: &mut u8, x: i64, is_missing: bool, edges: &[i8], _n: usize, missing: i64) {
    *code = if is_missing { missing as u8 } else { edges.partition_point(|&e| x > e as i64) as u8 };
}

//: bin_f64_f64 needs _key_f64
/// The code of a double: the number of edges below it, `missing` where it is missing or NaN. Edges rise.
fn bin_f64_f64(code: &mut u8, x: f64, is_missing: bool, edges: &[f64], _n: usize, missing: i64) {
    let key = _key_f64(x);
    let below = |e: &f64| key > _key_f64(*e as f64);
    *code = if is_missing || x.is_nan() { missing as u8 } else { edges.partition_point(below) as u8 };
}

//: bin_f64_f32 needs _key_f64
/// The code of a double: the number of edges below it, `missing` where it is missing or NaN. Edges rise.
fn bin_f64_f32(code: &mut u8, x: f64, is_missing: bool, edges: &[f32], _n: usize, missing: i64) {
    let key = _key_f64(x);
    let below = |e: &f32| key > _key_f64(*e as f64);
    *code = if is_missing || x.is_nan() { missing as u8 } else { edges.partition_point(below) as u8 };
}

//: bin_f64_i16 needs _key_f64
/// The code of a double: the number of edges below it, `missing` where it is missing or NaN. Edges rise.
fn bin_f64_i16(code: &mut u8, x: f64, is_missing: bool, edges: &[i16], _n: usize, missing: i64) {
    let key = _key_f64(x);
    let below = |e: &i16| key > _key_f64(*e as f64);
    *code = if is_missing || x.is_nan() { missing as u8 } else { edges.partition_point(below) as u8 };
}

//: recode
/// A code in which `missing` stands for missing.
fn recode(codes: &mut [u8], new: usize, at: usize, missing: i64) {
    codes[new] = if codes[at] == 255 { missing as u8 } else { codes[at] };
}

//: recode_set
/// A code of a set of n: n stands for missing, n + 1 for every code that is not below n.
fn recode_set(codes: &mut [u8], new: usize, at: usize, n: usize) {
    let given = codes[at];
    codes[new] = if usize::from(given) < n { given } else { (n + usize::from(given != 255)) as u8 };
}

//: copy_i32
fn copy_i32(out: &mut [i32], values: &[i32], n: usize) {
    out[..n].copy_from_slice(&values[..n]);
}

//: _little
/// A number of 1, 2 or 4 bytes, the lowest first.
fn _little(p: &[u8], n_bytes: usize) -> usize {
    p[..n_bytes].iter().rev().fold(0, |low, &byte| low << 8 | usize::from(byte))
}

//: take_u8
/// An integer, counted from the lowest one that its type has; where it is missing it is set later.
fn take_u8(out: &mut [u8], x: i64, _is_missing: bool, low: i64) {
    out[0] = (x - low) as u8;
}

//: take_u16
/// As take_u8.
fn take_u16(out: &mut [u16], x: i64, _is_missing: bool, low: i64) {
    out[0] = (x - low) as u16;
}

//: fill_u8
/// Sets of n integers what is missing: the first n_right to the largest, the others to 0. `columns` says of which column
/// each one is.
fn fill_u8(values: &mut [u8], missing: &[bool], columns: &[u16], _n_columns: usize, n_right: usize, n: usize) {
    for (k, &column) in columns[..n].iter().enumerate() {
        if missing[usize::from(column)] {
            values[k] = if k < n_right { u8::MAX } else { 0 };
        }
    }
}

//: fill_u16
/// As fill_u8.
fn fill_u16(values: &mut [u16], missing: &[bool], columns: &[u16], _n_columns: usize, n_right: usize, n: usize) {
    for (k, &column) in columns[..n].iter().enumerate() {
        if missing[usize::from(column)] {
            values[k] = if k < n_right { u16::MAX } else { 0 };
        }
    }
}

//: _signed needs _little
/// A signed number of 1, 2 or 4 bytes.
fn _signed(p: &[u8], n_bytes: usize) -> i32 {
    let sign = 1i64 << (8 * n_bytes - 1);
    ((_little(p, n_bytes) as i64 ^ sign) - sign) as i32
}

//: forest needs _little _signed
/// Adds a leaf of each tree to the scores. Rows are codes, or integers of two bytes. `sizes` gives by code the bytes of a
/// set, 0 for a threshold. Bytes of a head, a threshold, a length; bits of a value; bytes of a first output; then the unit
/// of values.
fn forest(
    scores: &mut [i32],
    codes: &[u8],
    values: &[u16],
    mut trees: &[u8],
    sizes: &[u8],
    n_trees: usize,
    width: usize,
    head: usize,
    threshold: usize,
    length: usize,
    bits: usize,
    first: usize,
    unit: i32,
) {
    let leaf = (width * bits).div_ceil(8);
    for _ in 0..n_trees {
        let (tree, rest) = trees.split_at(length + _little(trees, length));
        trees = rest;
        let out = &mut scores[_little(&tree[length..], first)..][..width];
        let mut p = &tree[length + first..];
        loop {
            let h = _little(p, head);
            let (at, is_leaf) = (h & ((1 << (8 * head - 2)) - 1), h >> (8 * head - 2));
            let size = sizes.get(at).copied().unwrap_or(0);
            p = &p[head..];
            let right = if size > 0 {
                p[usize::from(codes[at] >> 3)] >> (codes[at] & 7) & 1 == 1
            } else if threshold == 1 {
                codes[at] > p[0]
            } else {
                usize::from(values[at]) > _little(p, 2)
            };
            p = &p[usize::from(size).max(threshold)..];
            match is_leaf {
                0 if right => p = &p[length + _little(p, length)..],
                0 => p = &p[length..],
                3 => {
                    p = if right { &p[leaf..] } else { p };
                    break;
                }
                _ if right == (is_leaf == 2) => break,
                _ => p = &p[leaf..],
            }
        }
        for (k, out) in out.iter_mut().enumerate() {
            let value = match bits {
                4 => (i32::from(p[k / 2] >> (4 * (k % 2)) & 15) ^ 8) - 8,
                _ => _signed(&p[k * bits / 8..], bits / 8),
            };
            *out += value * unit;
        }
    }
}

//: tables needs _signed
/// Sums of a value a term: a term is a code, its places, a second code, its places (1 without one); the last row is the
/// start. Values have n_bytes each; scores have `shift` fraction bits more.
fn tables(
    scores: &mut [i32],
    codes: &[u8],
    terms: &[u16],
    values: &[u8],
    n_bytes: usize,
    n_terms: usize,
    n_rows: usize,
    width: usize,
    shift: i64,
) {
    let n_row = width * n_bytes;
    let row = |at: usize| values[at * n_row..][..n_row].chunks_exact(n_bytes).map(|v| _signed(v, n_bytes));
    scores.iter_mut().zip(row(n_rows - 1)).for_each(|(score, value)| *score = value);
    let mut first = 0;
    for term in terms.chunks_exact(4).take(n_terms) {
        let (n_a, n_b) = (usize::from(term[1]), usize::from(term[3]));
        let code = |at: u16| usize::from(codes[usize::from(at)]);
        let place = code(term[0]).min(n_a - 1) * n_b + code(term[2]).min(n_b - 1);
        scores.iter_mut().zip(row(first + place)).for_each(|(score, value)| *score += value);
        first += n_a * n_b;
    }
    scores.iter_mut().for_each(|score| *score <<= shift);
}

//: one_hot_code
fn one_hot_code(out: &mut [f64], codes: &[u8], at: usize, depth: usize) {
    for (k, out) in out[..depth].iter_mut().enumerate() {
        *out = if k == usize::from(codes[at]) { 1.0 } else { 0.0 };
    }
}

//: one_hot
fn one_hot(out: &mut [f64], code: &[f64], depth: usize) {
    for (k, out) in out[..depth].iter_mut().enumerate() {
        *out = if code[0] == k as f64 { 1.0 } else { 0.0 };
    }
}
