//! Dictionaries: `LabelEncoder`, `CategoryMapper`, `OneHotEncoder`, and the end of classifiers, `ZipMap`.

use super::super::Outputs;
use super::scores::{cast, classes};
use crate::context::Context;
use crate::error::Error;
use ir::op::tensor::{Cast, Compare, LabelEncoder, Squeeze};
use ir::{DType, Tensor, TensorData, ValueIdx};

/// The values of keys, else the last value.
fn encode(c: &mut Context<'_, '_>, keys: TensorData, values: TensorData, default: TensorData) -> Outputs {
    let (n, m) = (keys.len(), values.len());
    if n != m {
        return Err(c.misfit("values", &format!("{n}, as many as keys"), &m.to_string()));
    }
    let dtype = values.dtype();
    let values = Tensor::vector(values).below(Tensor::vector(default));
    let values = values.ok_or_else(|| c.misfit("default", dtype.name(), "another dtype"))?;
    let (keys, values) = (c.add_constant(Tensor::vector(keys))?, c.add_constant(values)?);
    let x = c.input(0)?;
    c.emit_all(LabelEncoder, &[x, keys, values])
}

/// Whole numbers of text by a list of categories, or the other way round.
pub(super) fn category_mapper(c: &mut Context<'_, '_>) -> Outputs {
    let ints = TensorData::I64(c.ints("cats_int64s").unwrap_or_default());
    let strings = TensorData::Str(c.words("cats_strings")?.unwrap_or_default());
    let (int, string) = (c.int("default_int64", -1)?, c.word("default_string", "_Unused")?);
    match c.dtype(c.input(0)?) {
        DType::Str => encode(c, strings, ints, TensorData::I64(vec![int])),
        _ => encode(c, ints, strings, TensorData::Str(vec![string])),
    }
}

/// Keys or values, whichever attribute holds them; version 1 has a list of classes instead.
fn side(c: &Context<'_, '_>, side: &str) -> Result<Option<TensorData>, Error> {
    let tensor = c.tensor(&format!("{side}_tensor"))?.map(|t| t.data().clone());
    let ints = c.ints(&format!("{side}_int64s")).map(TensorData::I64);
    let floats = c.floats(&format!("{side}_floats")).map(TensorData::F32);
    let strings = c.words(&format!("{side}_strings"))?.map(TensorData::Str);
    let mut all = [tensor, ints, floats, strings].into_iter().flatten();
    match (all.next(), all.next()) {
        (found, None) => Ok(found),
        (_, Some(_)) => Err(c.misfit(side, "one list", "several")),
    }
}

/// Version 1: text to its place in a list or back. Later: the value of a key.
pub(super) fn label_encoder(c: &mut Context<'_, '_>) -> Outputs {
    let (int, float) = (c.int("default_int64", -1)?, c.float("default_float", -0.0)?);
    let string = c.word("default_string", "_Unused")?;
    if c.opset < 2 {
        let words = c.words("classes_strings")?.unwrap_or_default();
        let n = i64::try_from(words.len()).unwrap_or(i64::MAX);
        let (places, words) = (TensorData::I64((0..n).collect()), TensorData::Str(words));
        return match c.dtype(c.input(0)?) {
            DType::Str => encode(c, words, places, TensorData::I64(vec![int])),
            _ => encode(c, places, words, TensorData::Str(vec![string])),
        };
    }
    let default = c.tensor("default_tensor")?;
    let (Some(keys), Some(values)) = (side(c, "keys")?, side(c, "values")?) else {
        return Err(c.misfit("keys and values", "a list of each", "none"));
    };
    let default = match (default, values.dtype()) {
        (Some(tensor), dtype) if tensor.dtype() == dtype && tensor.data().len() == 1 => tensor.data().clone(),
        (Some(tensor), dtype) => {
            let expected = format!("one element of {dtype}");
            return Err(c.misfit("attribute \"default_tensor\"", &expected, tensor.dtype().name()));
        }
        (None, DType::Str) => TensorData::Str(vec![string]),
        (None, DType::I64) => TensorData::I64(vec![int]),
        (None, DType::F32) => TensorData::F32(vec![float]),
        (None, dtype) => {
            let number = if dtype.is_float() { -0.0 } else { -1.0 };
            let data = crate::tensor::scalar(dtype, number);
            data.ok_or_else(|| c.misfit("values", "text or numbers of 8 bits or more", dtype.name()))?
        }
    };
    encode(c, keys, values, default)
}

/// One column a category, 1 where the element is it: `f32 [.., n]`.
pub(super) fn one_hot_encoder(c: &mut Context<'_, '_>) -> Outputs {
    if !c.flag("zeros", true)? {
        return Err(c.unsupported("zeros=0, which fails for other categories,", "export with zeros=1"));
    }
    let categories = classes(c, "cats_int64s", "cats_strings")?;
    let x = c.input(0)?;
    let x = if c.dtype(x) == DType::Str { x } else { cast(c, x, DType::I64)? };
    let (axes, categories) = (c.list(&[-1])?, c.add_constant(Tensor::vector(categories))?);
    let x = c.emit(Squeeze::Add, &[x, axes])?;
    let equal = c.emit(Compare::Equal, &[x, categories])?;
    c.emit_all(Cast::to(DType::F32), &[equal])
}

/// The scores as they are: maps from classes to scores are no tensors. So nothing may take what comes out, and the
/// columns stand in the order of the classes.
pub(super) fn zip_map(c: &mut Context<'_, '_>) -> Outputs {
    classes(c, "classlabels_int64s", "classlabels_strings")?;
    let scores: ValueIdx = c.input(0)?;
    if let Some(name) = c.node.output.first() {
        c.scope.ends.insert(name.clone());
    }
    Ok(vec![scores])
}
