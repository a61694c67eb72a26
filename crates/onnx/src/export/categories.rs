//! `OneHot`, `LabelEncoder`, `Respell`: categories to columns, numbers and other categories, exact.

use super::codes::dictionary;
use super::step::Step;
use crate::error::Error;
use crate::writer::wide;
use ir::DType;
use ir::op::OneHot;

pub(super) fn one_hot(s: &mut Step<'_>, op: OneHot) -> Result<String, Error> {
    let is_code = s.dtype(0)? == DType::U8;
    let codes = s.input(0)?;
    let column = s.w.as_column(&codes);
    let depth = op.depth as usize;
    let all = if is_code {
        s.w.ints(&[1, depth], &(0..op.depth).map(i64::from).collect::<Vec<i64>>())
    } else {
        s.w.doubles(&[1, depth], &(0..op.depth).map(f64::from).collect::<Vec<f64>>())
    };
    let is = s.w.op("Equal", &[&column, &all]);
    Ok(s.w.cast(&is, DType::F64))
}

/// Places in the dictionary first, because ai.onnx.ml 3 makes no doubles of text.
pub(super) fn label_encoder(s: &mut Step<'_>) -> Result<String, Error> {
    let x = s.input(0)?;
    let (keys, values) = (s.texts(1)?, s.doubles(2)?);
    let n = wide(keys.len());
    let places = keys.iter().map(String::as_str).zip(0..).collect();
    let at = dictionary(s, &x, places, n, n.saturating_add(1));
    let values = s.w.doubles(&[values.len()], values);
    Ok(s.w.gather(&values, &at, 0))
}

/// Keys of the dictionary become its values; others, and missing, pass.
pub(super) fn respell(s: &mut Step<'_>) -> Result<String, Error> {
    let x = s.input(0)?;
    let (keys, values) = (s.texts(1)?, s.texts(2)?);
    let n = wide(keys.len());
    let places = keys.iter().map(String::as_str).zip(0..).collect();
    let at = dictionary(s, &x, places, n, n);
    // One more value stands for those that pass.
    let mut values = values.to_vec();
    values.push(String::new());
    let values = s.w.texts(&[values.len()], &values);
    let value = s.w.gather(&values, &at, 0);
    let end = s.w.int(n);
    let passes = s.w.op("Equal", &[&at, &end]);
    Ok(s.w.op("Where", &[&passes, &x, &value]))
}
