//! `Tables`: sums of looked-up integers, exact.
//!
//! One look-up for all terms: the places of a row's codes in the table, `[N, T]`, then their rows, `[N, T, K]`, added up.

use super::step::Step;
use crate::error::Error;
use crate::writer::wide;
use ir::DType;
use ir::op::Tables;

pub(super) fn tables(s: &mut Step<'_>, op: Tables) -> Result<String, Error> {
    let n_columns = s.node.inputs.len().saturating_sub(3);
    let (sizes, pairs) = (s.i64s(n_columns)?, s.i64s(n_columns + 1)?);
    let (values, dims) = (s.i32s(n_columns + 2)?, s.dims(n_columns + 2)?);
    let Some((terms, n_rows)) = Tables::terms(sizes, pairs) else {
        return Err(s.broken("a term"));
    };
    let &[_, width] = dims else { return Err(s.broken("the shape of the values")) };
    let start: Vec<i64> = values.iter().skip((n_rows - 1) * width).map(|&v| v.into()).collect();
    let start = s.w.ints(&[1, width], &start);
    let mut columns = Vec::new();
    for position in 0..n_columns {
        let codes = s.input(position)?;
        columns.push(s.w.as_column(&codes));
    }
    let codes = s.w.side_by_side(&columns);
    // A code that is not below the size of its column counts as missing.
    let sizes = s.w.ints(&[1, n_columns], sizes);
    let places = s.w.op("Min", &[&codes, &sizes]);
    let firsts: Vec<i64> = terms.iter().map(|t| wide(t.first)).collect();
    let n_terms = terms.len();
    let mut sum = start;
    if n_terms > 0 {
        let a: Vec<i64> = terms.iter().map(|t| wide(t.a)).collect();
        let a = s.w.ints(&[n_terms], &a);
        let mut at = s.w.gather(&places, &a, 1);
        if terms.iter().any(|t| t.b.is_some()) {
            let steps: Vec<i64> = terms.iter().map(|t| wide(t.n_b)).collect();
            let b: Vec<i64> = terms.iter().map(|t| wide(t.b.unwrap_or(0))).collect();
            let is_pair: Vec<i64> = terms.iter().map(|t| t.b.is_some().into()).collect();
            let [steps, is_pair] = [steps, is_pair].map(|v| s.w.ints(&[1, n_terms], &v));
            let b = s.w.ints(&[n_terms], &b);
            let b = s.w.gather(&places, &b, 1);
            let b = s.w.op("Mul", &[&b, &is_pair]);
            let a = s.w.op("Mul", &[&at, &steps]);
            at = s.w.op("Add", &[&a, &b]);
        }
        let firsts = s.w.ints(&[1, n_terms], &firsts);
        let at = s.w.op("Add", &[&at, &firsts]);
        let table = s.w.small_ints(dims, values);
        let rows = s.w.gather(&table, &at, 0);
        // That no sum leaves i32 was proven when the node was made.
        let of_terms = s.w.reduce("ReduceSum", &rows, false);
        let of_terms = s.w.cast(&of_terms, DType::I64);
        sum = s.w.op("Add", &[&of_terms, &sum]);
    } else {
        let none = s.w.int(0);
        let first = s.w.int(0);
        let first = s.w.gather(&places, &first, 1);
        let zeros = s.w.op("Mul", &[&first, &none]);
        let zeros = s.w.as_column(&zeros);
        sum = s.w.op("Add", &[&zeros, &sum]);
    }
    let unit = s.w.int(1 << op.shift);
    Ok(s.w.op("Mul", &[&sum, &unit]))
}
