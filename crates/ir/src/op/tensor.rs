//! Operators of networks: ONNX's, on tensors of any rank; one payload a file, close families in one.
//!
//! They stand beside the operators of tables, which know rows and doubles alone. An importer brings every
//! opset to these: what ONNX builds of others is built of others here, and an attribute that became an input is an
//! input. A payload's `infer` gives all lengths of its outputs as soon as those of its inputs are known, and checks
//! all that can be checked; so the interpreter asks it once more when data is there, knows what it must make before
//! it takes memory, and its loops need no checks of their own.

mod activation;
mod arg_extreme;
mod batch_normalization;
mod binary;
mod cast;
mod center_crop_pad;
mod col2im;
mod compare;
mod compress;
mod concat;
mod constant_of_shape;
mod conv;
mod conv_transpose;
mod cost;
mod cumulative;
mod depth_space;
mod det;
mod dft;
mod dynamic_quantize_linear;
mod einsum;
mod expand;
mod eye_like;
mod float_test;
mod gather;
mod gemm;
mod grid_sample;
mod identity;
mod if_else;
mod integer;
mod label_encoder;
mod layer_normalization;
mod lengths;
mod listed;
mod looped;
mod lrn;
mod matmul;
mod max_unpool;
mod non_max_suppression;
mod non_zero;
mod one_hot;
mod pad;
mod pool;
mod q_add;
mod q_average_pool;
mod q_conv;
mod q_lut;
mod q_matmul;
mod q_mean;
mod q_mul;
mod quantize;
mod range;
mod recurrent;
mod reduce;
mod requantize;
mod reshape;
mod resize;
mod reverse_sequence;
mod roi_align;
mod scan;
mod scatter;
mod select;
mod shape_of;
mod slice;
mod softmax;
mod split;
mod squeeze;
mod stored;
mod tile;
mod top_k;
mod transpose;
mod tree_ensemble;
mod trilu;
mod unary;
mod unique;
mod window;

pub use activation::{Activation, ActivationKind};
pub use arg_extreme::ArgExtreme;
pub use batch_normalization::BatchNormalization;
pub use binary::Binary;
pub use cast::Cast;
pub use center_crop_pad::CenterCropPad;
pub use col2im::Col2Im;
pub use compare::Compare;
pub use compress::Compress;
pub use concat::Concat;
pub use constant_of_shape::ConstantOfShape;
pub use conv::Conv;
pub use conv_transpose::ConvTranspose;
pub use cumulative::Cumulative;
pub use depth_space::DepthSpace;
pub use det::Det;
pub use dft::Dft;
pub use dynamic_quantize_linear::DynamicQuantizeLinear;
pub use einsum::{Einsum, EinsumTerms};
pub use expand::Expand;
pub use eye_like::EyeLike;
pub use float_test::FloatTest;
pub use gather::Gather;
pub use gemm::Gemm;
pub use grid_sample::{Beyond, GridSample, Sampling};
pub use identity::Identity;
pub use if_else::If;
pub use label_encoder::LabelEncoder;
pub use layer_normalization::LayerNormalization;
pub use looped::Loop;
pub use lrn::Lrn;
pub use matmul::MatMul;
pub use max_unpool::MaxUnpool;
pub use non_max_suppression::NonMaxSuppression;
pub use non_zero::NonZero;
pub use one_hot::OneHot;
pub use pad::{Pad, PadMode};
pub use pool::{PlaceOrder, Pool, PoolKind};
pub use q_add::{QAdd, SumFactors};
pub use q_average_pool::QAveragePool;
pub use q_conv::QConv;
pub use q_lut::QLut;
pub use q_matmul::QMatMul;
pub use q_mean::QMean;
pub use q_mul::QMul;
pub use quantize::{DequantizeLinear, QuantizeLinear};
pub use range::Range;
pub use recurrent::{Cell, Direction, Recurrent, RecurrentSlot};
pub use reduce::{Reduce, ReduceKind};
pub use requantize::Requantize;
pub use reshape::Reshape;
pub use resize::{Coordinates, NearestMode, Resize, ResizeBy, ResizeMode, ResizePolicy};
pub use reverse_sequence::ReverseSequence;
pub use roi_align::RoiAlign;
pub use scan::{Scan, ScanAxis};
pub use scatter::{Scatter, ScatterReduction};
pub use select::Where;
pub use shape_of::ShapeOf;
pub use slice::Slice;
pub use softmax::{Softmax, SoftmaxKind};
pub use split::Split;
pub use squeeze::Squeeze;
pub use tile::Tile;
pub use top_k::TopK;
pub use transpose::Transpose;
pub use tree_ensemble::{Aggregate, TreeEnsemble};
pub use trilu::Trilu;
pub use unary::Unary;
pub use unique::Unique;
pub use window::{Pads, Span, Window};

use super::{Attr, Operand, Payload, arity, misfit};
use crate::Graph;
use alloc::boxed::Box;
use alloc::vec::Vec;
use lengths::{
    Made, alike, all_exact, axes_of, axis_of, between, broadcast, either, feeds, flag, floats, ints, length,
    met, numbers, one, product, ranked, sizes, whole, word,
};

/// An operator of a network.
#[derive(Clone, Debug, PartialEq)]
pub enum TensorOp {
    /// The same value under another name.
    Identity(Identity),
    /// Two elements to one.
    Binary(Binary),
    /// Two elements to a truth.
    Compare(Compare),
    /// One element to one.
    Unary(Unary),
    /// One element to one, with parameters.
    Activation(Activation),
    /// Whether a float is of a kind.
    FloatTest(FloatTest),
    /// One of two elements.
    Where(Where),
    /// Elements of another dtype.
    Cast(Cast),
    /// Elements along axes to one.
    Reduce(Reduce),
    /// Place of the largest or least.
    ArgExtreme(ArgExtreme),
    /// Running sums or products.
    Cumulative(Cumulative),
    /// The largest or least elements and their places.
    TopK(TopK),
    /// Shares along an axis.
    Softmax(Softmax),
    /// Products of matrices.
    MatMul(MatMul),
    /// A product of matrices and a sum.
    Gemm(Gemm),
    /// Sums of products by letters.
    Einsum(Einsum),
    /// Convolution.
    Conv(Conv),
    /// Transposed convolution.
    ConvTranspose(ConvTranspose),
    /// The largest, the mean or the norm of a window.
    Pool(Pool),
    /// Puts the largest of windows back.
    MaxUnpool(MaxUnpool),
    /// Blocks of columns to an image.
    Col2Im(Col2Im),
    /// Normalisation by known statistics of channels.
    BatchNormalization(BatchNormalization),
    /// Normalisation over the last axes.
    LayerNormalization(LayerNormalization),
    /// Normalisation over neighbouring channels.
    Lrn(Lrn),
    /// RNN, LSTM, GRU.
    Recurrent(Recurrent),
    /// Lengths of axes, or their product.
    ShapeOf(ShapeOf),
    /// The same elements in another shape.
    Reshape(Reshape),
    /// Axes of length 1 removed or added.
    Squeeze(Squeeze),
    /// Axes in another order.
    Transpose(Transpose),
    /// Tensors one after the other.
    Concat(Concat),
    /// A tensor in parts.
    Split(Split),
    /// Ranges of axes.
    Slice(Slice),
    /// Elements by their places.
    Gather(Gather),
    /// Elements put to places.
    Scatter(Scatter),
    /// Elements around a tensor.
    Pad(Pad),
    /// A tensor cut and padded around its centre.
    CenterCropPad(CenterCropPad),
    /// A tensor repeated.
    Tile(Tile),
    /// A tensor broadcast.
    Expand(Expand),
    /// One value everywhere.
    ConstantOfShape(ConstantOfShape),
    /// Rising numbers.
    Range(Range),
    /// Indices to one column each.
    OneHot(OneHot),
    /// Ones on a diagonal.
    EyeLike(EyeLike),
    /// One triangle of matrices.
    Trilu(Trilu),
    /// Sequences turned round.
    ReverseSequence(ReverseSequence),
    /// Depth to space and back.
    DepthSpace(DepthSpace),
    /// Interpolation to other lengths.
    Resize(Resize),
    /// Interpolation at given places.
    GridSample(GridSample),
    /// Pooling of regions.
    RoiAlign(RoiAlign),
    /// Where a condition holds.
    Compress(Compress),
    /// Places of what is not zero.
    NonZero(NonZero),
    /// Distinct elements.
    Unique(Unique),
    /// Boxes without those that overlap better ones.
    NonMaxSuppression(NonMaxSuppression),
    /// Determinants.
    Det(Det),
    /// Discrete Fourier transform.
    Dft(Dft),
    /// Numbers to small integers or floats.
    QuantizeLinear(QuantizeLinear),
    /// And back.
    DequantizeLinear(DequantizeLinear),
    /// Numbers to `u8` by their own range.
    DynamicQuantizeLinear(DynamicQuantizeLinear),
    /// Convolution of codes.
    QConv(QConv),
    /// Products of matrices of codes.
    QMatMul(QMatMul),
    /// Sums of codes.
    QAdd(QAdd),
    /// Products of codes.
    QMul(QMul),
    /// Means of windows of codes.
    QAveragePool(QAveragePool),
    /// Means of codes over axes.
    QMean(QMean),
    /// Codes by a table.
    QLut(QLut),
    /// Codes on another grid.
    Requantize(Requantize),
    /// Elements by a dictionary.
    LabelEncoder(LabelEncoder),
    /// Scores of a forest with real thresholds.
    TreeEnsemble(TreeEnsemble),
    /// One of two graphs.
    If(If),
    /// A graph again and again.
    Loop(Loop),
    /// A graph for each slice.
    Scan(Scan),
}

impl TensorOp {
    /// What the operator says of itself.
    pub fn payload(&self) -> &dyn Payload {
        match self {
            TensorOp::Identity(p) => p,
            TensorOp::Binary(p) => p,
            TensorOp::Compare(p) => p,
            TensorOp::Unary(p) => p,
            TensorOp::Activation(p) => p,
            TensorOp::FloatTest(p) => p,
            TensorOp::Where(p) => p,
            TensorOp::Cast(p) => p,
            TensorOp::Reduce(p) => p,
            TensorOp::ArgExtreme(p) => p,
            TensorOp::Cumulative(p) => p,
            TensorOp::TopK(p) => p,
            TensorOp::Softmax(p) => p,
            TensorOp::MatMul(p) => p,
            TensorOp::Gemm(p) => p,
            TensorOp::Einsum(p) => p,
            TensorOp::Conv(p) => p,
            TensorOp::ConvTranspose(p) => p,
            TensorOp::Pool(p) => p,
            TensorOp::MaxUnpool(p) => p,
            TensorOp::Col2Im(p) => p,
            TensorOp::BatchNormalization(p) => p,
            TensorOp::LayerNormalization(p) => p,
            TensorOp::Lrn(p) => p,
            TensorOp::Recurrent(p) => p,
            TensorOp::ShapeOf(p) => p,
            TensorOp::Reshape(p) => p,
            TensorOp::Squeeze(p) => p,
            TensorOp::Transpose(p) => p,
            TensorOp::Concat(p) => p,
            TensorOp::Split(p) => p,
            TensorOp::Slice(p) => p,
            TensorOp::Gather(p) => p,
            TensorOp::Scatter(p) => p,
            TensorOp::Pad(p) => p,
            TensorOp::CenterCropPad(p) => p,
            TensorOp::Tile(p) => p,
            TensorOp::Expand(p) => p,
            TensorOp::ConstantOfShape(p) => p,
            TensorOp::Range(p) => p,
            TensorOp::OneHot(p) => p,
            TensorOp::EyeLike(p) => p,
            TensorOp::Trilu(p) => p,
            TensorOp::ReverseSequence(p) => p,
            TensorOp::DepthSpace(p) => p,
            TensorOp::Resize(p) => p,
            TensorOp::GridSample(p) => p,
            TensorOp::RoiAlign(p) => p,
            TensorOp::Compress(p) => p,
            TensorOp::NonZero(p) => p,
            TensorOp::Unique(p) => p,
            TensorOp::NonMaxSuppression(p) => p,
            TensorOp::Det(p) => p,
            TensorOp::Dft(p) => p,
            TensorOp::QuantizeLinear(p) => p,
            TensorOp::DequantizeLinear(p) => p,
            TensorOp::DynamicQuantizeLinear(p) => p,
            TensorOp::QConv(p) => p,
            TensorOp::QMatMul(p) => p,
            TensorOp::QAdd(p) => p,
            TensorOp::QMul(p) => p,
            TensorOp::QAveragePool(p) => p,
            TensorOp::QMean(p) => p,
            TensorOp::QLut(p) => p,
            TensorOp::Requantize(p) => p,
            TensorOp::LabelEncoder(p) => p,
            TensorOp::TreeEnsemble(p) => p,
            TensorOp::If(p) => p,
            TensorOp::Loop(p) => p,
            TensorOp::Scan(p) => p,
        }
    }

    /// The graphs inside, which see nothing but their inputs.
    pub fn graphs(&self) -> Vec<&Graph> {
        match self {
            TensorOp::If(p) => alloc::vec![&p.then_branch, &p.else_branch],
            TensorOp::Loop(p) => alloc::vec![&p.body],
            TensorOp::Scan(p) => alloc::vec![&p.body],
            _ => Vec::new(),
        }
    }
}

impl From<TensorOp> for crate::Op {
    fn from(op: TensorOp) -> crate::Op {
        crate::Op::Tensor(Box::new(op))
    }
}

/// Stamps `From<Payload>` for the operators, so that a payload can stand where an operator is asked for.
macro_rules! members {
    ($($name:ident),* $(,)?) => {
        $(impl From<$name> for TensorOp {
            fn from(payload: $name) -> TensorOp {
                TensorOp::$name(payload)
            }
        }
        impl From<$name> for crate::Op {
            fn from(payload: $name) -> crate::Op {
                TensorOp::$name(payload).into()
            }
        })*
    };
}

members!(
    Identity,
    Binary,
    Compare,
    Unary,
    Activation,
    FloatTest,
    Where,
    Cast,
    Reduce,
    ArgExtreme,
    Cumulative,
    TopK,
    Softmax,
    MatMul,
    Gemm,
    Einsum,
    Conv,
    ConvTranspose,
    Pool,
    MaxUnpool,
    Col2Im,
    BatchNormalization,
    LayerNormalization,
    Lrn,
    Recurrent,
    ShapeOf,
    Reshape,
    Squeeze,
    Transpose,
    Concat,
    Split,
    Slice,
    Gather,
    Scatter,
    Pad,
    CenterCropPad,
    Tile,
    Expand,
    ConstantOfShape,
    Range,
    OneHot,
    EyeLike,
    Trilu,
    ReverseSequence,
    DepthSpace,
    Resize,
    GridSample,
    RoiAlign,
    Compress,
    NonZero,
    Unique,
    NonMaxSuppression,
    Det,
    Dft,
    QuantizeLinear,
    DequantizeLinear,
    DynamicQuantizeLinear,
    QConv,
    QMatMul,
    QAdd,
    QMul,
    QAveragePool,
    QMean,
    QLut,
    Requantize,
    LabelEncoder,
    TreeEnsemble,
    If,
    Loop,
    Scan,
);
