//! Operators on columns: `Scaler`, `Normalizer`, `Imputer`, `Binarizer`, `FeatureVectorizer`, `ArrayFeatureExtractor`.

use super::super::Outputs;
use super::scores::{as_rows, cast, reduced, singles};
use crate::context::Context;
use ir::op::tensor::{Binary, Cast, Compare, Concat, FloatTest, Gather, ReduceKind, Reshape, Where};
use ir::{DType, Tensor, TensorData};

/// Chosen columns, `[n_rows, n]`.
pub(super) fn array_feature_extractor(c: &mut Context<'_, '_>) -> Outputs {
    let (x, places) = (c.input(0)?, c.input(1)?);
    let (x, all) = (as_rows(c, x)?, c.list(&[-1])?);
    let places = c.emit(Reshape::To { allow_zero: false }, &[places, all])?;
    c.emit_all(Gather::Slices { axis: -1 }, &[x, places])
}

/// 1 above the threshold, else 0, of the dtype of the input.
pub(super) fn binarizer(c: &mut Context<'_, '_>) -> Outputs {
    let x = c.input(0)?;
    let dtype = c.dtype(x);
    let threshold = c.float("threshold", 0.0)?;
    let threshold = c.number(dtype, threshold.into())?;
    let above = c.emit(Compare::Greater, &[x, threshold])?;
    c.emit_all(Cast::to(dtype), &[above])
}

/// Columns of all inputs side by side, `f32`.
pub(super) fn feature_vectorizer(c: &mut Context<'_, '_>) -> Outputs {
    let widths = c.counts("inputdimensions")?;
    let mut columns = Vec::with_capacity(c.n_inputs());
    for (at, x) in c.all_inputs()?.into_iter().enumerate() {
        let x = cast(c, x, DType::F32)?;
        let x = as_rows(c, x)?;
        if let (Some(&width), Some(own)) = (widths.get(at), c.length(x, 1))
            && width != own
        {
            let what = format!("an input of {own} columns where inputdimensions says {width}");
            return Err(c.unsupported(&what, "write the lengths that the inputs have"));
        }
        columns.push(x);
    }
    c.emit_all(Concat { axis: 1 }, &columns)
}

/// Another number for missing cells, or for those that equal a number: one, or one a column.
pub(super) fn imputer(c: &mut Context<'_, '_>) -> Outputs {
    let x = c.input(0)?;
    let dtype = c.dtype(x);
    let (floats, ints) = (c.floats("imputed_value_floats"), c.ints("imputed_value_int64s"));
    let (float, int) = (c.float("replaced_value_float", 0.0)?, c.int("replaced_value_int64", 0)?);
    let (values, replaced) = match (dtype, floats, ints) {
        (DType::F32, Some(v), _) => (TensorData::F32(v), TensorData::F32(vec![float])),
        (DType::F64, Some(v), _) => {
            (TensorData::F64(v.into_iter().map(f64::from).collect()), TensorData::F64(vec![float.into()]))
        }
        (DType::I64, _, Some(v)) => (TensorData::I64(v), TensorData::I64(vec![int])),
        _ => {
            let expected = "imputed values of its kind for an input of f32, f64 or i64";
            return Err(c.misfit("input", expected, dtype.name()));
        }
    };
    let is_missing = if dtype.is_float() && float.is_nan() {
        c.emit(FloatTest::IsNan, &[x])?
    } else {
        let replaced = c.add_constant(Tensor::vector(replaced))?;
        c.emit(Compare::Equal, &[x, replaced])?
    };
    let values = c.add_constant(Tensor::vector(values))?;
    c.emit_all(Where, &[is_missing, values, x])
}

/// Each row over its largest element (MAX), the sum of sizes (L1) or its length (L2); rows where that is 0 stay.
pub(super) fn normalizer(c: &mut Context<'_, '_>) -> Outputs {
    let norm = c.word("norm", "MAX")?;
    let x = c.input(0)?;
    let x = cast(c, x, DType::F32)?;
    let kind = match norm.as_str() {
        "MAX" => ReduceKind::Max,
        "L1" => ReduceKind::L1,
        "L2" => ReduceKind::L2,
        other => return Err(c.misfit("attribute \"norm\"", "MAX, L1 or L2", other)),
    };
    let size = reduced(c, kind, x)?;
    let (zero, one) = (c.number(DType::F32, 0.0)?, c.number(DType::F32, 1.0)?);
    let is_zero = c.emit(Compare::Equal, &[size, zero])?;
    let size = c.emit(Where, &[is_zero, one, size])?;
    c.emit_all(Binary::Div, &[x, size])
}

/// `(x - offset) scale`, each one number or one a column; `f32`.
pub(super) fn scaler(c: &mut Context<'_, '_>) -> Outputs {
    let (offset, scale) = (c.floats("offset").unwrap_or_default(), c.floats("scale").unwrap_or_default());
    let x = c.input(0)?;
    let mut x = cast(c, x, DType::F32)?;
    for (op, numbers) in [(Binary::Sub, offset), (Binary::Mul, scale)] {
        if !numbers.is_empty() {
            let numbers = singles(c, vec![numbers.len()], numbers)?;
            x = c.emit(op, &[x, numbers])?;
        }
    }
    Ok(vec![x])
}
