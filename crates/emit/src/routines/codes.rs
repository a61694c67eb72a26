//! Codes of columns, and trees and tables over codes.

//: bin_i64
/// Number of edges below `x`, `missing` where it is missing. Edges rise.
fn bin_i64(code: &mut u8, x: i64, is_missing: bool, edges: &[i64], _n: usize, missing: i64) {
    *code = if is_missing { missing as u8 } else { edges.partition_point(|&e| x > e) as u8 };
}
