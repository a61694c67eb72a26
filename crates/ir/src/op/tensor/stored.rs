//! Operators of networks as a file holds them: by name and attributes.
//!
//! Each payload reads back what its own `attrs` say. Operators with graphs inside stand in no file.

use super::super::misfit;
use super::{
    Activation, ArgExtreme, BatchNormalization, Binary, Cast, CenterCropPad, Col2Im, Compare, Compress,
    Concat, ConstantOfShape, Conv, ConvTranspose, Cumulative, DepthSpace, DequantizeLinear, Det, Dft,
    DynamicQuantizeLinear, Einsum, Expand, EyeLike, FloatTest, Gather, Gemm, GridSample, Identity,
    LabelEncoder, LayerNormalization, Lrn, MatMul, MaxUnpool, NonMaxSuppression, NonZero, OneHot, Pad, Pool,
    QAdd, QAveragePool, QConv, QLut, QMatMul, QMean, QMul, QuantizeLinear, Range, Recurrent, Reduce,
    Requantize, Reshape, Resize, ReverseSequence, RoiAlign, Scatter, ShapeOf, Slice, Softmax, Split, Squeeze,
    TensorOp, Tile, TopK, Transpose, TreeEnsemble, Trilu, Unary, Unique, Where,
};
use crate::fixed::Overflow;
use crate::op::{Attr, Attrs};
use crate::{DType, Error, Kind, RealForest, Tensor};
use alloc::vec::Vec;

/// What a stored operator is made of: none for the name of another family.
pub(super) type Found<T> = Option<Result<T, Error>>;

/// A family of operators that a file can hold.
pub(super) trait Stored: Sized + Into<TensorOp> {
    /// The member of a name with its attributes; none if the family has no such name.
    fn parse(name: &str, attrs: &Attrs) -> Found<Self>;
}

/// Reads an operator back, if it is one of the family.
type Parse = fn(&str, &Attrs) -> Found<TensorOp>;

fn family<S: Stored>(name: &str, attrs: &Attrs) -> Found<TensorOp> {
    S::parse(name, attrs).map(|made| made.map(Into::into))
}

/// Every family that a file can hold.
const FAMILIES: &[Parse] = &[
    family::<Activation>,
    family::<ArgExtreme>,
    family::<BatchNormalization>,
    family::<Binary>,
    family::<Cast>,
    family::<CenterCropPad>,
    family::<Col2Im>,
    family::<Compare>,
    family::<Compress>,
    family::<Concat>,
    family::<ConstantOfShape>,
    family::<Conv>,
    family::<ConvTranspose>,
    family::<Cumulative>,
    family::<DepthSpace>,
    family::<DequantizeLinear>,
    family::<Det>,
    family::<Dft>,
    family::<DynamicQuantizeLinear>,
    family::<Einsum>,
    family::<Expand>,
    family::<EyeLike>,
    family::<FloatTest>,
    family::<Gather>,
    family::<Gemm>,
    family::<GridSample>,
    family::<Identity>,
    family::<LabelEncoder>,
    family::<LayerNormalization>,
    family::<Lrn>,
    family::<MatMul>,
    family::<MaxUnpool>,
    family::<NonMaxSuppression>,
    family::<NonZero>,
    family::<OneHot>,
    family::<Pad>,
    family::<Pool>,
    family::<QAdd>,
    family::<QAveragePool>,
    family::<QConv>,
    family::<QLut>,
    family::<QMatMul>,
    family::<QMean>,
    family::<QMul>,
    family::<QuantizeLinear>,
    family::<Range>,
    family::<Recurrent>,
    family::<Reduce>,
    family::<Requantize>,
    family::<Reshape>,
    family::<Resize>,
    family::<ReverseSequence>,
    family::<RoiAlign>,
    family::<Scatter>,
    family::<ShapeOf>,
    family::<Slice>,
    family::<Softmax>,
    family::<Split>,
    family::<Squeeze>,
    family::<Tile>,
    family::<TopK>,
    family::<Transpose>,
    family::<TreeEnsemble>,
    family::<Trilu>,
    family::<Unary>,
    family::<Unique>,
    family::<Where>,
];

impl TensorOp {
    /// The operator of networks of a stored name and attributes.
    ///
    /// # Errors
    /// `Unknown` for another name or for an attribute that the operator does not have, `Node` for attributes that do
    /// not fit.
    pub fn parse(name: &str, attrs: &Attrs) -> Result<TensorOp, Error> {
        let found = FAMILIES.iter().find_map(|parse| parse(name, attrs));
        let op = found.ok_or_else(|| Kind::Unknown { what: alloc::format!("operator \"{name}\"") })??;
        attrs.all_known(name, op.payload())?;
        Ok(op)
    }
}

/// The member of a name among those of an enum.
pub(super) fn named<T: Copy>(all: &[T], name: &str, spelt: impl Fn(&T) -> &'static str) -> Option<T> {
    all.iter().copied().find(|member| spelt(member) == name)
}

/// Attributes as networks have them.
impl Attrs {
    /// The attribute of a name, if it is there.
    fn find(&self, name: &str) -> Option<&Attr> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, attr)| attr)
    }

    /// What `read` makes of an attribute that may be left out.
    pub(super) fn maybe<T>(
        &self,
        name: &str,
        read: impl FnOnce(&Attrs) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        self.find(name).map(|_| read(self)).transpose()
    }

    /// 0 or 1.
    pub(super) fn flag(&self, op: &'static str, name: &str) -> Result<bool, Error> {
        match self.int::<i64>(op, name)? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(misfit(op, name, "0 or 1", &other)),
        }
    }

    /// What a small float does beyond its largest number.
    pub(super) fn overflow(&self, op: &'static str) -> Result<Overflow, Error> {
        Ok(if self.flag(op, "saturate")? { Overflow::Saturate } else { Overflow::Special })
    }

    pub(super) fn float(&self, op: &'static str, name: &str) -> Result<f32, Error> {
        match self.get(op, name)? {
            Attr::Float(v) => Ok(*v),
            _ => Err(misfit(op, name, "a number", &"another kind of attribute")),
        }
    }

    pub(super) fn ints<T: TryFrom<i64>>(&self, op: &'static str, name: &str) -> Result<Vec<T>, Error> {
        let Attr::Ints(values) = self.get(op, name)? else {
            return Err(misfit(op, name, "whole numbers", &"another kind of attribute"));
        };
        let narrow = |v: &i64| T::try_from(*v).map_err(|_| misfit(op, name, "numbers in range", v));
        values.iter().map(narrow).collect()
    }

    /// The one number of a list.
    pub(super) fn count<T: TryFrom<i64> + Copy>(&self, op: &'static str, name: &str) -> Result<T, Error> {
        match self.ints(op, name)?[..] {
            [one] => Ok(one),
            ref other => Err(misfit(op, name, "one number", &other.len())),
        }
    }

    pub(super) fn dtype(&self, op: &'static str, name: &str) -> Result<DType, Error> {
        let word = self.word(op, name)?;
        let found = DType::ALL.iter().copied().find(|d| d.name() == word);
        found.ok_or_else(|| misfit(op, name, "a dtype", &word))
    }

    /// A word that stands for one of several members.
    pub(super) fn one_of<T: Copy>(
        &self,
        op: &'static str,
        name: &str,
        all: &[T],
        spelt: impl Fn(&T) -> &'static str,
    ) -> Result<T, Error> {
        let word = self.word(op, name)?;
        named(all, word, &spelt).ok_or_else(|| {
            let known: Vec<&str> = all.iter().map(spelt).collect();
            misfit(op, name, &known.join(", "), &word)
        })
    }

    pub(super) fn tensor(&self, op: &'static str, name: &str) -> Result<&Tensor, Error> {
        match self.get(op, name)? {
            Attr::Tensor(v) => Ok(v),
            _ => Err(misfit(op, name, "elements", &"another kind of attribute")),
        }
    }

    pub(super) fn real_forest(&self, op: &'static str, name: &str) -> Result<&RealForest, Error> {
        match self.get(op, name)? {
            Attr::RealForest(v) => Ok(v),
            _ => Err(misfit(op, name, "a forest of reals", &"another kind of attribute")),
        }
    }
}
