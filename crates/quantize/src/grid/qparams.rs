//! The levels of a tensor, part by part.

use super::granularity::{Granularity, count};
use super::levels::Levels;
use super::{Data, GridEntry, IntegerFormat, Part};
use crate::error::{Error, misfit};
use crate::family::Member;
use crate::observe::Range;
use crate::rounding::Rounding;
use ir::{DType, Tensor, TensorData};

/// Levels of a tensor with their granularity.
#[derive(Clone, Debug, PartialEq)]
pub struct QParams {
    dims: Vec<usize>,
    granularity: Granularity,
    levels: Vec<Levels>,
}

impl QParams {
    /// `levels`: one a part, in order of channels, then groups.
    ///
    /// # Errors
    /// `Axis`, `Group`; `Shape` for another number of levels.
    pub fn try_new(
        dims: Vec<usize>,
        granularity: Granularity,
        levels: Vec<Levels>,
    ) -> Result<QParams, Error> {
        let n = granularity.n_parts(&dims)?;
        if levels.len() != n {
            return Err(misfit("levels of a tensor", n, levels.len()));
        }
        Ok(QParams { dims, granularity, levels })
    }

    /// Levels that a grid has for each part of a tensor, for the range that `observe` finds for it: `values: dims`,
    /// row-major. Tables of all parts hold the same integers.
    ///
    /// # Errors
    /// As [`QParams::try_new`], those of `observe`, `Bits` for bits that the grid does not have.
    pub fn by_grid(
        values: &[f32],
        dims: &[usize],
        granularity: Granularity,
        grid: &Member<GridEntry>,
        format: &IntegerFormat,
        observe: impl Fn(&[f32]) -> Result<Range, Error>,
    ) -> Result<QParams, Error> {
        let split = granularity.split(dims, values)?;
        let mut parts = Vec::with_capacity(split.len());
        for values in &split {
            parts.push(Part { data: Data::Values(values), range: observe(values)? });
        }
        let levels = grid.levels_of_parts(&parts, format)?;
        QParams::try_new(dims.to_vec(), granularity, levels)
    }

    /// Lengths of the tensor's axes.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// What shares one scale.
    pub fn granularity(&self) -> Granularity {
        self.granularity
    }

    /// Levels of each part, in order of channels, then groups.
    pub fn levels(&self) -> &[Levels] {
        &self.levels
    }

    /// The integers of the tensor's values, row-major.
    ///
    /// # Errors
    /// `Shape` for values of another number.
    pub fn codes(&self, values: &[f32], rounding: &Rounding) -> Result<Vec<i32>, Error> {
        count(&self.dims, values.len())?;
        let parts = self.granularity.parts(&self.dims)?;
        let code = |(at, &x): (usize, &f32)| {
            self.levels.get(parts.of(at)).map_or(0, |levels| levels.code(x, at as u64, rounding))
        };
        Ok(values.iter().enumerate().map(code).collect())
    }

    /// The numbers of integers, row-major.
    ///
    /// # Errors
    /// `Shape` for integers of another number.
    pub fn values(&self, codes: &[i32]) -> Result<Vec<f32>, Error> {
        count(&self.dims, codes.len())?;
        let parts = self.granularity.parts(&self.dims)?;
        let value = |(at, &code): (usize, &i32)| {
            self.levels.get(parts.of(at)).map_or(0.0, |levels| levels.value(code))
        };
        Ok(codes.iter().enumerate().map(value).collect())
    }

    /// Integers as a tensor of their dtype.
    ///
    /// # Errors
    /// `Shape` for integers of another number, or beyond their dtype.
    pub fn tensor(&self, codes: &[i32]) -> Result<Tensor, Error> {
        let dtype = self.dtype();
        let data = stored(dtype, codes).ok_or_else(|| misfit("integers", dtype, "some beyond it"))?;
        Tensor::try_new(self.dims.clone(), data)
            .ok_or_else(|| misfit("values", format!("{:?}", self.dims), codes.len()))
    }

    /// Storage type of the integers: the widest of the parts.
    pub fn dtype(&self) -> DType {
        let widest = self.levels.iter().map(Levels::dtype).max_by_key(|d| d.whole_range());
        widest.unwrap_or(DType::I8)
    }
}

/// Integers of at most 16 bits as elements of a dtype; none if one is beyond it.
fn stored(dtype: DType, codes: &[i32]) -> Option<TensorData> {
    fn all<T: TryFrom<i32>>(codes: &[i32]) -> Option<Vec<T>> {
        codes.iter().map(|&q| q.try_into().ok()).collect()
    }
    match dtype {
        DType::I8 => all(codes).map(TensorData::I8),
        DType::U8 => all(codes).map(TensorData::U8),
        DType::I16 => all(codes).map(TensorData::I16),
        DType::U16 => all(codes).map(TensorData::U16),
        DType::Narrow(narrow) => {
            let (least, most) = narrow.whole_range()?;
            let holds = codes.iter().all(|q| (i32::from(least)..=most.into()).contains(q));
            holds.then(|| TensorData::Narrow(narrow, codes.iter().map(|&q| q as u8).collect()))
        }
        _ => None,
    }
}
