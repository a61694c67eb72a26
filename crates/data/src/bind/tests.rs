use super::*;
use arrow_array::{
    BinaryArray, BooleanArray, Decimal128Array, Float32Array, Float64Array, Int32Array, Int64Array,
    LargeStringArray, NullArray, StringArray, UInt8Array, UInt64Array,
};
use ir::{ColumnKind, DType, Task};
use std::sync::Arc;

fn signature(inputs: &[(&str, ColumnKind, DType)]) -> Signature {
    let inputs = inputs.iter().map(|&(name, kind, dtype)| Input { name: name.into(), kind, dtype }).collect();
    Signature {
        task: Task::Binary,
        target: "y".into(),
        targets: Vec::new(),
        inputs,
        outputs: vec![],
        classes: vec!["0".into(), "1".into()],
        positive: Some(1),
        missing: Vec::new(),
        columns: Vec::new(),
        joined: None,
    }
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true))).unwrap()
}

/// The rows of a column as text; missing ones as `-`.
fn cells(column: &Column<'_>) -> Vec<String> {
    (0..column.n_rows())
        .map(|row| match column.data() {
            _ if !column.is_valid(row) => "-".to_string(),
            ColumnData::F64(v) if v[row].is_nan() => "-".to_string(),
            ColumnData::F64(v) => format!("{:?}", v[row]),
            ColumnData::I64(v) => v[row].to_string(),
            ColumnData::Str { .. } => column.text(row).unwrap().to_string(),
            other => panic!("{other:?}"),
        })
        .collect()
}

fn bound(kind: ColumnKind, dtype: DType, array: ArrayRef) -> Result<(Vec<String>, bool)> {
    let batch = batch(vec![("x", array)]);
    let bound = bind(&batch, &signature(&[("x", kind, dtype)]))?;
    let columns = bound.columns();
    let graph_dtype = if kind == ColumnKind::Number { dtype } else { DType::Str };
    assert_eq!(columns[0].dtype(), graph_dtype);
    Ok((cells(&columns[0]), matches!(bound.slots[0], Slot::Borrowed(_))))
}

#[test]
fn types() {
    use ColumnKind::{Category, Number, Text};
    use DType::{F64, I64, Str};
    let nan = f64::NAN;
    let cases: Vec<(ColumnKind, DType, ArrayRef, &[&str], bool)> = vec![
        (Number, I64, Arc::new(Int64Array::from(vec![Some(1), None])), &["1", "-"], true),
        (
            Number,
            F64,
            Arc::new(Float64Array::from(vec![Some(1.5), None, Some(nan)])),
            &["1.5", "-", "-"],
            true,
        ),
        (
            Number,
            I64,
            Arc::new(Float64Array::from(vec![Some(1.2), None, Some(nan), Some(-1.2), Some(1e300)])),
            &["2", "-", "-", "-1", "9223372036854775807"],
            false,
        ),
        (Number, I64, Arc::new(Float32Array::from(vec![1.5, f32::NAN])), &["2", "-"], false),
        (Number, I64, Arc::new(UInt64Array::from(vec![7, u64::MAX])), &["7", "9223372036854775807"], false),
        (
            Number,
            I64,
            Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
            &["1", "-", "0"],
            false,
        ),
        (Number, F64, Arc::new(Int64Array::from(vec![Some(1), None])), &["1.0", "-"], false),
        (Number, F64, Arc::new(Int32Array::from(vec![-3])), &["-3.0"], false),
        (Number, F64, Arc::new(UInt8Array::from(vec![255])), &["255.0"], false),
        (Number, F64, Arc::new(Float32Array::from(vec![0.5, f32::INFINITY])), &["0.5", "inf"], false),
        (Number, F64, Arc::new(BooleanArray::from(vec![true, false])), &["1.0", "0.0"], false),
        (Number, F64, Arc::new(NullArray::new(2)), &["-", "-"], false),
        (Number, I64, Arc::new(NullArray::new(1)), &["-"], false),
        (
            Category,
            Str,
            Arc::new(StringArray::from(vec![Some("a"), None, Some("b c")])),
            &["a", "-", "b c"],
            true,
        ),
        (Category, Str, Arc::new(StringArray::from(vec![" a", "b", " "])), &["a", "b", "-"], false),
        (Category, Str, Arc::new(StringArray::from(vec!["1.0", "b"])), &["1.0", "b"], true),
        (Category, Str, Arc::new(Int64Array::from(vec![Some(7), None])), &["7", "-"], false),
        (
            Category,
            Str,
            Arc::new(Float64Array::from(vec![2.0, 0.1, nan, -0.0])),
            &["2", "0.1", "-", "0"],
            false,
        ),
        (Category, Str, Arc::new(Float32Array::from(vec![0.1])), &["0.1"], false),
        (Category, Str, Arc::new(NullArray::new(1)), &["-"], false),
        (Category, I64, Arc::new(StringArray::from(vec!["7", "x", "-8"])), &["7", "x", "-8"], true),
        (
            Category,
            I64,
            Arc::new(StringArray::from(vec![" 007", "7.0", "x ", ""])),
            &["7", "7", "x", "-"],
            false,
        ),
        (
            Category,
            F64,
            Arc::new(StringArray::from(vec!["2.50", "1e1", "inf"])),
            &["2.5", "10", "inf"],
            false,
        ),
        (
            Category,
            I64,
            Arc::new(Int64Array::from(vec![9_007_199_254_740_993])),
            &["9007199254740993"],
            false,
        ),
        (
            Category,
            F64,
            Arc::new(Int64Array::from(vec![9_007_199_254_740_993])),
            &["9007199254740992"],
            false,
        ),
        (Category, I64, Arc::new(BooleanArray::from(vec![true])), &["1"], false),
        (Category, Str, Arc::new(BooleanArray::from(vec![true])), &["true"], false),
        (Category, Str, Arc::new(LargeStringArray::from(vec![" a", "NA", ""])), &["a", "-", "-"], false),
        (Category, Str, Arc::new(StringArray::from(vec!["a", "NA"])), &["a", "-"], false),
        (Number, F64, Arc::new(Decimal128Array::from(vec![1])), &["1e-10"], false),
        (Number, F64, Arc::new(StringArray::from(vec!["1.5", " 2"])), &["1.5", "2.0"], false),
        (Text, Str, Arc::new(StringArray::from(vec!["one two "])), &["one two"], false),
    ];
    for (kind, dtype, array, expected, borrowed) in cases {
        let what = format!("{kind} {dtype} {array:?}");
        let (cells, is_borrowed) = bound(kind, dtype, array).unwrap();
        assert_eq!(cells, expected, "{what}");
        assert_eq!(is_borrowed, borrowed, "{what}");
    }
}

#[test]
fn slices_keep_their_offsets() {
    let numbers: ArrayRef =
        Arc::new(Float64Array::from(vec![Some(0.0), Some(1.0), None, Some(3.0), Some(4.0)]));
    let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), Some("b"), None, Some("d"), Some("é")]));
    let flags: ArrayRef =
        Arc::new(BooleanArray::from(vec![Some(true), Some(true), None, Some(false), Some(true)]));
    let all = batch(vec![("n", numbers), ("t", texts), ("f", flags)]);
    let signature = signature(&[
        ("t", ColumnKind::Category, DType::Str),
        ("n", ColumnKind::Number, DType::F64),
        ("f", ColumnKind::Number, DType::I64),
    ]);
    let sliced = all.slice(1, 4);
    let bound = bind(&sliced, &signature).unwrap();
    assert_eq!(bound.n_rows(), 4);
    let columns = bound.columns();
    assert_eq!(cells(&columns[0]), ["b", "-", "d", "é"]);
    assert_eq!(cells(&columns[1]), ["1.0", "-", "3.0", "4.0"]);
    assert_eq!(cells(&columns[2]), ["1", "-", "0", "1"]);
    let empty = all.slice(2, 0);
    assert!(bind(&empty, &signature).unwrap().columns().iter().all(|c| c.n_rows() == 0));
}

#[test]
fn messages() {
    use ColumnKind::{Category, Number, Time};
    let text: ArrayRef = Arc::new(StringArray::from(vec!["1", "a"]));
    let flags: ArrayRef = Arc::new(BooleanArray::from(vec![true]));
    let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![&b"a"[..]]));
    for (kind, array, expected, nature) in [
        (
            Number,
            &text,
            "table: column \"x\" (1): expected a number, got \"a\" at row 2; declare it missing with --missing a",
            crate::Nature::Input,
        ),
        (
            Category,
            &bytes,
            "column \"x\": Arrow type Binary is not supported; cast it to a number, text or time type",
            crate::Nature::Unsupported,
        ),
        (
            Time,
            &flags,
            "column \"x\": expected time, got Arrow type Boolean; cast it before binding",
            crate::Nature::Input,
        ),
    ] {
        let dtype = if kind == Number { DType::F64 } else { DType::I64 };
        let error = bound(kind, dtype, Arc::clone(array)).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.nature(), nature);
    }
    let batch = batch(vec![("age", Arc::clone(&flags)), ("incme", Arc::clone(&flags))]);
    let wanted = signature(&[
        ("age", Number, DType::I64),
        ("income", Number, DType::I64),
        ("zip", Number, DType::I64),
    ]);
    assert_eq!(
        bind(&batch, &wanted).unwrap_err().to_string(),
        "table: no column \"income\" (did you mean \"incme\"?), no column \"zip\"; add or rename the column"
    );
}
