//! Which version of ONNX's operators a graph needs: for each operator when it came to take a dtype, from version 13 on.
//!
//! What else asks for a later version (an attribute, an input, a value of a word) stands where the operator is written.
//! Versions before 13 are not written: they have axes as attributes, and no scales along an axis.

use ir::DType;
use ir::fixed::{Half, Narrow};

/// The first version that is written.
pub(super) const FIRST: i64 = 13;

/// The versions that a file is written in, and those that its nodes turn out to need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Versions {
    /// ONNX's own operators.
    pub(super) opset: i64,
    /// Those of ai.onnx.ml; 0 where there are none.
    pub(super) ml: i64,
    /// True where a node is one of ONNX Runtime's own.
    pub(super) has_microsoft: bool,
}

impl Versions {
    /// The lowest.
    pub(super) fn first() -> Versions {
        Versions { opset: FIRST, ml: 0, has_microsoft: false }
    }
}

type Dtypes = &'static [DType];

/// Floats of 16, 32 and 64 bits.
const FLOAT: Dtypes = &[DType::F32, DType::F64, DType::Half(Half::F16)];
const F32: Dtypes = &[DType::F32];
const F16: Dtypes = &[DType::Half(Half::F16)];
const BF16: Dtypes = &[DType::Half(Half::BF16)];
/// Integers of 32 and 64 bits.
const WIDE: Dtypes = &[DType::I32, DType::I64, DType::U32, DType::U64];
/// Integers of 8 and 16 bits.
const SHORT: Dtypes = &[DType::I8, DType::U8, DType::I16, DType::U16];
const BYTE: Dtypes = &[DType::I8, DType::U8];
const SIXTEEN: Dtypes = &[DType::I16, DType::U16];
const SIGNED: Dtypes = &[DType::I8, DType::I16, DType::I32, DType::I64];
const UNSIGNED: Dtypes = &[DType::U8, DType::U16, DType::U32, DType::U64];
const I32: Dtypes = &[DType::I32];
const I64: Dtypes = &[DType::I64];
const BOOL: Dtypes = &[DType::Bool];
const TEXT: Dtypes = &[DType::Str];
/// Floats of 8 bits.
const F8: Dtypes = &[
    DType::Narrow(Narrow::E4M3FN),
    DType::Narrow(Narrow::E4M3FNUZ),
    DType::Narrow(Narrow::E5M2),
    DType::Narrow(Narrow::E5M2FNUZ),
];
/// Integers of 4 bits.
const FOUR: Dtypes = &[DType::Narrow(Narrow::I4), DType::Narrow(Narrow::U4)];
const F4: Dtypes = &[DType::Narrow(Narrow::E2M1)];
/// Powers of two.
const E8: Dtypes = &[DType::Narrow(Narrow::E8M0)];
/// Integers of 2 bits.
const TWO: Dtypes = &[DType::Narrow(Narrow::I2), DType::Narrow(Narrow::U2)];

/// Since which version what dtypes are taken.
type Since = &'static [(i64, &'static [Dtypes])];

/// When ONNX came to have a dtype at all.
const DTYPES: Since = &[
    (13, &[FLOAT, BF16, WIDE, SHORT, BOOL, TEXT]),
    (19, &[F8]),
    (21, &[FOUR]),
    (23, &[F4]),
    (24, &[E8]),
    (25, &[TWO]),
];

/// What moves elements and does not look at them, of versions that took small ones at once and later.
const MOVED: Since = &[
    (13, &[FLOAT, BF16, WIDE, SHORT, BOOL, TEXT]),
    (21, &[F8, FOUR]),
    (23, &[F4]),
    (24, &[E8]),
    (25, &[TWO]),
];
const INSIDE: Since = &[
    (13, &[FLOAT, WIDE, SHORT, BOOL, TEXT]),
    (16, &[BF16]),
    (19, &[F8]),
    (21, &[FOUR]),
    (23, &[F4]),
    (24, &[E8]),
    (25, &[TWO]),
];
const ANY: Since = &[(13, &[FLOAT, BF16, WIDE, SHORT, BOOL, TEXT])];
const REAL: Since = &[(13, &[FLOAT, BF16])];
const REAL_22: Since = &[(13, &[FLOAT]), (22, &[BF16])];
const NUMBER: Since = &[(13, &[FLOAT, BF16, WIDE, SHORT])];
const SUMMED: Since = &[(13, &[FLOAT, BF16, WIDE])];
const BYTES: Since = &[(13, &[BYTE])];

/// Operators, and for each of their operands that matters the versions. One line an operator or a close group.
const TABLE: &[(&[&str], &[Since])] = &[
    (&["Identity", "Shape", "Size", "Reshape"], &[DTYPES]),
    (&["Cast"], &[DTYPES, DTYPES]),
    (&["Flatten", "Squeeze", "Unsqueeze", "Transpose", "Pad"], &[MOVED]),
    (&["If", "Loop", "Scan"], &[INSIDE]),
    (
        &["ConstantOfShape"],
        &[&[
            (13, &[FLOAT, WIDE, SHORT, BOOL]),
            (20, &[BF16, F8]),
            (21, &[FOUR]),
            (23, &[F4]),
            (24, &[E8]),
            (25, &[TWO]),
        ]],
    ),
    (
        &[
            "Concat",
            "Split",
            "Slice",
            "Gather",
            "GatherElements",
            "GatherND",
            "ScatterElements",
            "ScatterND",
            "Tile",
            "Expand",
            "DepthToSpace",
            "SpaceToDepth",
            "NonZero",
            "Resize",
        ],
        &[ANY],
    ),
    (&["CenterCropPad", "Col2Im"], &[&[(18, &[FLOAT, BF16, WIDE, SHORT, BOOL, TEXT])]]),
    (&["Trilu"], &[&[(14, &[FLOAT, BF16, WIDE, SHORT, BOOL, TEXT])]]),
    (&["Where"], &[&[(13, &[FLOAT, WIDE, SHORT, BOOL, TEXT]), (16, &[BF16])]]),
    (&["Compress", "Unique", "ReverseSequence", "OneHot"], &[&[(13, &[FLOAT, WIDE, SHORT, BOOL, TEXT])]]),
    (&["EyeLike"], &[EYE, EYE]),
    (
        &["GridSample"],
        &[&[(16, &[FLOAT, WIDE, SHORT, BOOL, TEXT]), (22, &[BF16])], &[(16, &[FLOAT]), (22, &[BF16])]],
    ),
    (&["Add", "Sub", "Mul", "Div"], &[&[(13, &[FLOAT, BF16, WIDE]), (14, &[SHORT])]]),
    (&["Pow"], &[&[(13, &[FLOAT, BF16, I32, I64])], &[(13, &[FLOAT, WIDE, SHORT]), (15, &[BF16])]]),
    (&["Mod", "Min", "Max", "Less", "Greater", "Abs", "Sign", "ArgMax", "ArgMin"], &[NUMBER]),
    (&["LessOrEqual", "GreaterOrEqual"], &[&[(13, &[FLOAT, WIDE, SHORT]), (16, &[BF16])]]),
    (&["Equal"], &[&[(13, &[FLOAT, BF16, WIDE, SHORT, BOOL]), (19, &[TEXT])]]),
    (&["PRelu"], &[&[(13, &[FLOAT, WIDE]), (16, &[BF16])]]),
    (&["And", "Or", "Xor", "Not"], &[&[(13, &[BOOL])]]),
    (&["BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitwiseNot"], &[&[(18, &[WIDE, SHORT])]]),
    (&["BitShift"], &[&[(13, &[UNSIGNED])]]),
    (&["Neg"], &[&[(13, &[FLOAT, BF16, SIGNED])]]),
    (
        &[
            "Floor",
            "Ceil",
            "Reciprocal",
            "Sqrt",
            "Exp",
            "Log",
            "Erf",
            "Sigmoid",
            "Tanh",
            "Softmax",
            "LogSoftmax",
            "Hardmax",
            "LRN",
        ],
        &[REAL],
    ),
    (
        &["Round", "Sin", "Cos", "Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Asinh", "Acosh", "Atanh"],
        &[REAL_22],
    ),
    (&["ThresholdedRelu", "Elu", "Selu", "HardSigmoid", "Softplus", "Softsign"], &[REAL_22]),
    (
        &[
            "Conv",
            "ConvTranspose",
            "AveragePool",
            "LpPool",
            "MaxUnpool",
            "RoiAlign",
            "Det",
            "RNN",
            "LSTM",
            "GRU",
        ],
        &[REAL_22],
    ),
    (&["LeakyRelu"], &[&[(13, &[FLOAT]), (16, &[BF16])]]),
    (&["Relu"], &[&[(13, &[FLOAT, BF16]), (14, &[SIGNED])]]),
    (&["Celu", "NonMaxSuppression", "DynamicQuantizeLinear"], &[&[(13, &[F32])]]),
    (&["Shrink", "Einsum"], &[&[(13, &[FLOAT, WIDE, SHORT])]]),
    (&["IsNaN"], &[&[(13, &[FLOAT, BF16]), (20, &[F8])]]),
    (&["IsInf"], &[&[(13, &[F32, &[DType::F64]]), (20, &[F16, BF16, F8])]]),
    (
        &[
            "ReduceSum",
            "ReduceMean",
            "ReduceProd",
            "ReduceL1",
            "ReduceL2",
            "ReduceLogSum",
            "ReduceLogSumExp",
            "ReduceSumSquare",
            "MatMul",
            "Gemm",
        ],
        &[SUMMED],
    ),
    (&["ReduceMax", "ReduceMin"], &[&[(13, &[FLOAT, BF16, WIDE, BYTE]), (20, &[BOOL])]]),
    (&["CumSum"], &[&[(13, &[F32, &[DType::F64], WIDE]), (14, &[F16, BF16])]]),
    (&["CumProd"], &[&[(26, &[FLOAT, BF16, WIDE])]]),
    (&["TopK"], &[&[(13, &[FLOAT, WIDE, SHORT]), (24, &[BF16])]]),
    (&["MatMulInteger", "ConvInteger"], &[BYTES, BYTES]),
    (&["MaxPool"], &[&[(13, &[FLOAT, BYTE]), (22, &[BF16])]]),
    (&["BatchNormalization"], &[&[(13, &[FLOAT]), (14, &[BF16])]]),
    (&["LayerNormalization", "DFT"], &[&[(17, &[FLOAT, BF16])]]),
    (&["Range"], &[&[(13, &[F32, &[DType::F64, DType::I16], I32, I64]), (27, &[F16, BF16])]]),
    (
        &["QuantizeLinear"],
        &[
            &[(13, &[F32, I32]), (19, &[F16, BF16])],
            &[(13, &[F32]), (19, &[F16, BF16, I32]), (24, &[E8])],
            &[(13, &[BYTE]), (19, &[F8]), (21, &[SIXTEEN, FOUR]), (23, &[F4]), (25, &[TWO])],
        ],
    ),
    (
        &["DequantizeLinear"],
        &[
            &[(13, &[BYTE, I32]), (19, &[F8]), (21, &[SIXTEEN, FOUR]), (23, &[F4]), (25, &[TWO])],
            &[(13, &[F32]), (19, &[F16, BF16]), (24, &[E8])],
        ],
    ),
];

const EYE: Since = &[(13, &[FLOAT, WIDE, SHORT, BOOL]), (22, &[BF16])];

fn find(since: Since, dtype: DType) -> Option<i64> {
    since.iter().find(|(_, sets)| sets.iter().any(|set| set.contains(&dtype))).map(|(version, _)| *version)
}

/// The version since when values may have a dtype; none for bags.
pub(super) fn of_dtype(dtype: DType) -> Option<i64> {
    find(DTYPES, dtype)
}

/// The version since when an operator takes a dtype at the `place`-th operand that matters; none if it never does.
pub(super) fn since(op: &str, place: usize, dtype: DType) -> Option<i64> {
    let (_, operands) = TABLE.iter().find(|(ops, _)| ops.contains(&op))?;
    find(operands.get(place)?, dtype)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn an_operator_stands_once_and_versions_rise() {
        let mut seen = BTreeSet::new();
        for (ops, operands) in TABLE {
            assert!(ops.iter().all(|op| seen.insert(op)), "{ops:?}");
            for since in *operands {
                assert!(since.windows(2).all(|pair| pair[0].0 < pair[1].0), "{ops:?}");
                let all: Vec<DType> = since.iter().flat_map(|(_, sets)| sets.concat()).collect();
                assert!((1..all.len()).all(|at| !all[..at].contains(&all[at])), "{ops:?}");
            }
        }
    }

    #[test]
    fn versions_are_those_of_onnx() {
        let i4 = DType::Narrow(Narrow::I4);
        let cases = [
            ("Add", 0, DType::I8, Some(14)),
            ("Add", 0, DType::F32, Some(13)),
            ("Add", 0, i4, None),
            ("Pow", 1, DType::Half(Half::BF16), Some(15)),
            ("DequantizeLinear", 0, i4, Some(21)),
            ("DequantizeLinear", 0, DType::Narrow(Narrow::U2), Some(25)),
            ("QuantizeLinear", 2, DType::U16, Some(21)),
            ("QuantizeLinear", 1, DType::F64, None),
            ("Transpose", 0, i4, Some(21)),
        ];
        for (op, place, dtype, expected) in cases {
            assert_eq!(since(op, place, dtype), expected, "{op} {dtype}");
        }
        assert_eq!(of_dtype(DType::Bag), None);
        // The whole table goes to `export_network.py`, which has ONNX's own definitions.
        let Some(folder) = std::env::var_os("SMIDGEN_EXPORTED_NETWORKS") else { return };
        let mut lines = String::new();
        for (op, operands) in
            TABLE.iter().flat_map(|(ops, operands)| ops.iter().map(move |op| (op, operands)))
        {
            for (place, since) in operands.iter().enumerate() {
                for &dtype in DType::ALL.iter().filter(|&&d| d != DType::Bag) {
                    let version = find(since, dtype).unwrap_or(0);
                    lines.push_str(&format!("{op}\t{place}\t{}\t{version}\n", dtype.tag()));
                }
            }
        }
        std::fs::write(std::path::Path::new(&folder).join("versions.tsv"), lines).unwrap();
    }
}
