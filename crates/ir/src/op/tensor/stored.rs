//! Operators of networks as a file holds them: by name and attributes.
//!
//! Each payload reads back what its own `attrs` say. Operators with graphs inside stand in no file.

use super::{
    Activation, ArgExtreme, BatchNormalization, Binary, Cast, CenterCropPad, Col2Im, Compare, Compress,
    Concat, ConstantOfShape, Conv, ConvTranspose, Cumulative, DepthSpace, DequantizeLinear, Det, Dft,
    DynamicQuantizeLinear, Einsum, Expand, EyeLike, FloatTest, Gather, Gemm, GridSample, Identity,
    LabelEncoder, LayerNormalization, Lrn, MatMul, MaxUnpool, NonMaxSuppression, NonZero, OneHot, Pad, Pool,
    QAdd, QAveragePool, QConv, QLut, QMatMul, QMean, QMul, QuantizeLinear, Range, Recurrent, Reduce,
    Requantize, Reshape, Resize, ReverseSequence, RoiAlign, Scatter, ShapeOf, Slice, Softmax, Split, Squeeze,
    TensorOp, Tile, TopK, Transpose, TreeEnsemble, Trilu, Unary, Unique, Where,
};
use crate::op::Attrs;
use crate::{Error, Kind};

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
