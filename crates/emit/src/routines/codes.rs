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

//: forest needs _little
/// Adds a leaf of each tree to the scores: bytes of a head, a length, a value and a first output, then the unit of values.
/// `sizes` gives by code the bytes of a set, 0 for a threshold.
fn forest(
    scores: &mut [i32],
    codes: &[u8],
    mut trees: &[u8],
    sizes: &[u8],
    n_trees: usize,
    width: usize,
    head: usize,
    length: usize,
    value: usize,
    first: usize,
    unit: i32,
) {
    for _ in 0..n_trees {
        let (tree, rest) = trees.split_at(length + _little(trees, length));
        trees = rest;
        let out = &mut scores[_little(&tree[length..], first)..][..width];
        let mut p = &tree[length + first..];
        loop {
            let h = _little(p, head);
            let (at, is_leaf) = (h & ((1 << (8 * head - 2)) - 1), h >> (8 * head - 2));
            let code = codes[at];
            let size = sizes.get(at).copied().unwrap_or(0);
            p = &p[head..];
            let right = if size > 0 { p[usize::from(code >> 3)] >> (code & 7) & 1 == 1 } else { code > p[0] };
            p = &p[usize::from(size.max(1))..];
            if is_leaf & 1 == 1 {
                if !right {
                    break;
                }
                p = &p[width * value..];
            } else if right {
                p = &p[length + _little(p, length)..];
            } else {
                p = &p[length..];
                continue;
            }
            if is_leaf & 2 == 2 {
                break;
            }
        }
        for (out, leaf) in out.iter_mut().zip(p.chunks_exact(value)) {
            let sign = 1i64 << (8 * value - 1);
            *out += ((_little(leaf, value) as i64 ^ sign) - sign) as i32 * unit;
        }
    }
}

//: tables_i8
/// Sums of a value a term: a term is a code, its places, a second code, its places (1 without one); the last row is the
/// start. Scores have `shift` fraction bits more.
fn tables_i8(
    scores: &mut [i32],
    codes: &[u8],
    terms: &[u16],
    values: &[i8],
    n_terms: usize,
    n_rows: usize,
    width: usize,
    shift: i64,
) {
    let row = |at: usize| values[at * width..(at + 1) * width].iter().map(|&v| i32::from(v));
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

//: tables_i16
/// Sums of a value a term: a term is a code, its places, a second code, its places (1 without one); the last row is the
/// start. Scores have `shift` fraction bits more.
fn tables_i16(
    scores: &mut [i32],
    codes: &[u8],
    terms: &[u16],
    values: &[i16],
    n_terms: usize,
    n_rows: usize,
    width: usize,
    shift: i64,
) {
    let row = |at: usize| values[at * width..(at + 1) * width].iter().map(|&v| i32::from(v));
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

//: tables_i32
/// Sums of a value a term: a term is a code, its places, a second code, its places (1 without one); the last row is the
/// start. Scores have `shift` fraction bits more.
fn tables_i32(
    scores: &mut [i32],
    codes: &[u8],
    terms: &[u16],
    values: &[i32],
    n_terms: usize,
    n_rows: usize,
    width: usize,
    shift: i64,
) {
    let row = |at: usize| values[at * width..(at + 1) * width].iter().map(|&v| i32::from(v));
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
