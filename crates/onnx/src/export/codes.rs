//! `Bin` and `Codes`: columns to codes, `int64 [N]`, missing 255.
//!
//! A code is the number of edges below the cell, counted by comparing with all of them: exact in doubles, which a forest on
//! single precision thresholds would not be.

use super::step::Step;
use crate::error::Error;
use crate::writer::Attribute;
use ir::DType;
use ir::forest::MISSING;
use ir::op::Codes;

pub(super) fn bin(s: &mut Step<'_>) -> Result<String, Error> {
    let x = s.input(0)?;
    let moments = s.is_moments(0)?;
    let is_missing = missing(s, &x, moments);
    let edges = edges(s, moments)?;
    let code = match edges {
        None => s.w.int(0),
        Some(edges) => {
            // Single precision holds these counts, and its sums are the fastest.
            let column = s.w.as_column(&x);
            let above = s.w.op("Greater", &[&column, &edges]);
            let above = s.w.cast(&above, DType::F32);
            let count = s.w.reduce("ReduceSum", &above, false);
            s.w.cast(&count, DType::I64)
        }
    };
    let code_of_missing = s.w.int(MISSING.into());
    Ok(s.w.op("Where", &[&is_missing, &code_of_missing, &code]))
}

/// The edges, `[1, E]`; none if there is none.
fn edges(s: &mut Step<'_>, moments: bool) -> Result<Option<String>, Error> {
    let dims = [1, s.dims(1)?.iter().product()];
    if dims[1] == 0 {
        return Ok(None);
    }
    Ok(Some(match s.dtype(1)? {
        DType::I64 if moments => s.w.ints(&dims, s.i64s(1)?),
        DType::I64 => {
            let edges: Vec<f64> = s.i64s(1)?.iter().map(|&e| rounded_down(e)).collect();
            s.w.doubles(&dims, &edges)
        }
        _ => s.w.doubles(&dims, s.doubles(1)?),
    }))
}

/// Where a column has no number.
pub(super) fn missing(s: &mut Step<'_>, x: &str, moments: bool) -> String {
    if moments {
        let none = s.w.int(i64::MIN);
        s.w.op("Equal", &[x, &none])
    } else {
        s.w.op("IsNaN", &[x])
    }
}

/// The largest double that is not above: a double is greater than it exactly when it is greater than `edge`.
fn rounded_down(edge: i64) -> f64 {
    let dropped = (64 - edge.unsigned_abs().leading_zeros()).saturating_sub(53);
    ((edge >> dropped) << dropped) as f64
}

pub(super) fn codes(s: &mut Step<'_>, op: Codes) -> Result<String, Error> {
    let x = s.input(0)?;
    let codes = (0i64..).zip(s.texts(1)?).map(|(code, key)| (key.as_str(), code)).collect();
    Ok(dictionary(s, &x, codes, op.unseen.into(), MISSING.into()))
}

/// The whole number of each text: of a known key its own, of others `unseen`, of the empty text `missing`.
pub(super) fn dictionary(
    s: &mut Step<'_>,
    x: &str,
    known: Vec<(&str, i64)>,
    unseen: i64,
    missing: i64,
) -> String {
    // The empty text is missing in the exported model, so a key without a character is met by no row.
    let known = known.into_iter().filter(|(key, _)| !key.is_empty());
    let (mut keys, mut values): (Vec<String>, Vec<i64>) = known.map(|(key, v)| (key.to_string(), v)).unzip();
    keys.push(String::new());
    values.push(missing);
    let attributes = vec![
        ("keys_strings", Attribute::Texts(keys)),
        ("values_int64s", Attribute::Ints(values)),
        ("default_int64", Attribute::Int(unseen)),
    ];
    s.w.ml("LabelEncoder", &[x], attributes)
}

#[cfg(test)]
mod tests {
    use super::rounded_down;

    #[test]
    fn edges_beyond_doubles_keep_every_branch() {
        let far = 1i64 << 53;
        let cases = [
            (0, 0.0),
            (-5, -5.0),
            (far, 9_007_199_254_740_992.0),
            (far + 1, 9_007_199_254_740_992.0),
            (far + 3, 9_007_199_254_740_994.0),
            (-far - 1, -9_007_199_254_740_994.0),
            (i64::MIN, -9_223_372_036_854_775_808.0),
            (i64::MAX, 9_223_372_036_854_774_784.0),
            (i64::MAX - 1024, 9_223_372_036_854_773_760.0),
        ];
        for (edge, double) in cases {
            assert_eq!(rounded_down(edge).to_bits(), f64::to_bits(double), "{edge}");
        }
    }
}
