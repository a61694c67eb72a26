//! Parquet through the public interface: types, values, plans, messages, damage.
#![expect(clippy::unwrap_used, reason = "tests may unwrap")]

use arrow_array::builder::{ListBuilder, StringDictionaryBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float16Type, Float64Type, Int8Type, Int32Type, Int64Type};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Date64Array, Decimal128Array, Decimal256Array,
    DictionaryArray, DurationSecondArray, FixedSizeBinaryArray, Float32Array, Float64Array, Int8Array,
    Int16Array, Int32Array, Int64Array, LargeStringArray, NullArray, PrimitiveArray, RecordBatch,
    StringArray, StringViewArray, StructArray, Time32SecondArray, Time64MicrosecondArray,
    TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray,
    UInt8Array, UInt16Array, UInt32Array, UInt64Array,
};
use arrow_buffer::i256;
use arrow_schema::{DataType, Field, Schema};
use ir::{ColumnData, ColumnKind, DType, Input, Signature, Task};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{WriterProperties, WriterVersion};
use smidgen_data::{Nature, ReadOptions, ReadPlan, Result, Source, Table, batches, bind, profile, read_for};
use std::sync::Arc;

type Columns = Vec<(&'static str, ArrayRef)>;

fn properties() -> WriterProperties {
    WriterProperties::builder().set_compression(Compression::SNAPPY).build()
}

fn write_with(columns: Columns, properties: WriterProperties, group_rows: usize) -> Vec<u8> {
    let fields: Vec<Field> =
        columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let batch =
        RecordBatch::try_new(Arc::clone(&schema), columns.into_iter().map(|(_, array)| array).collect())
            .unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, schema, Some(properties)).unwrap();
    let mut start = 0;
    while start < batch.num_rows() {
        let len = group_rows.min(batch.num_rows() - start);
        writer.write(&batch.slice(start, len)).unwrap();
        writer.flush().unwrap();
        start += len;
    }
    writer.close().unwrap();
    bytes
}

fn write(columns: Columns) -> Vec<u8> {
    write_with(columns, properties(), usize::MAX)
}

fn source(bytes: &[u8]) -> Source {
    Source::spool("t.parquet", bytes).unwrap()
}

fn read(columns: Columns, options: &ReadOptions) -> Result<Table> {
    Table::read(&source(&write(columns)), options)
}

fn types(pairs: &[(&str, ColumnKind)]) -> ReadOptions {
    let types = pairs.iter().map(|&(name, kind)| (String::from(name), kind)).collect();
    ReadOptions { types, ..ReadOptions::default() }
}

fn signature(inputs: &[(&str, ColumnKind, DType)]) -> Signature {
    let inputs = inputs.iter().map(|&(name, kind, dtype)| Input { name: name.into(), kind, dtype }).collect();
    Signature {
        task: Task::Binary,
        target: "y".into(),
        targets: Vec::new(),
        inputs,
        outputs: vec![],
        classes: vec!["a".into(), "b".into()],
        positive: Some(1),
        missing: Vec::new(),
        columns: Vec::new(),
        joined: None,
    }
}

/// The cells of an array as text; missing ones as `-`.
fn cells(array: &ArrayRef) -> Vec<String> {
    (0..array.len())
        .map(|row| match array.data_type() {
            _ if array.is_null(row) => String::from("-"),
            DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
            DataType::Float64 => format!("{:?}", array.as_primitive::<Float64Type>().value(row)),
            DataType::Utf8 => String::from(array.as_string::<i32>().value(row)),
            other => panic!("{other}"),
        })
        .collect()
}

fn dictionary(values: &[Option<&str>]) -> ArrayRef {
    let mut builder = StringDictionaryBuilder::<Int32Type>::new();
    for value in values {
        builder.append_option(*value);
    }
    Arc::new(builder.finish())
}

/// Name, array, kind, dtype, values, raw values.
type Case = (&'static str, ArrayRef, ColumnKind, DType, [&'static str; 3], [&'static str; 3]);

fn cases() -> Vec<Case> {
    use ColumnKind::{Category, Number, Time};
    use DType::{F64, I64, Str};
    let halves: PrimitiveArray<Float16Type> = [Some(1.5_f32), None, Some(-2.0)]
        .into_iter()
        .map(|v| v.map(<Float16Type as arrow_array::ArrowPrimitiveType>::Native::from_f32))
        .collect();
    let numbers = Int64Array::from(vec![Some(500), Some(-7)]);
    let keys = Int8Array::from(vec![Some(1), None, Some(0)]);
    let coded = DictionaryArray::<Int8Type>::try_new(keys, Arc::new(numbers)).unwrap();
    let big = i256::from_string("99999999999999999999999999999999999999999").unwrap();
    vec![
        (
            "i8",
            Arc::new(Int8Array::from(vec![Some(-1), None, Some(7)])),
            Number,
            I64,
            ["-1", "-", "7"],
            ["-1", "-", "7"],
        ),
        (
            "i16",
            Arc::new(Int16Array::from(vec![Some(-300), None, Some(7)])),
            Number,
            I64,
            ["-300", "-", "7"],
            ["-300", "-", "7"],
        ),
        (
            "i32",
            Arc::new(Int32Array::from(vec![Some(1 << 30), None, Some(7)])),
            Number,
            I64,
            ["1073741824", "-", "7"],
            ["1073741824", "-", "7"],
        ),
        (
            "i64",
            Arc::new(Int64Array::from(vec![Some(16_777_217), Some(i64::MAX), None])),
            Number,
            I64,
            ["16777217", "9223372036854775807", "-"],
            ["16777217", "9223372036854775807", "-"],
        ),
        (
            "u8",
            Arc::new(UInt8Array::from(vec![255, 0, 1])),
            Number,
            I64,
            ["255", "0", "1"],
            ["255", "0", "1"],
        ),
        (
            "u16",
            Arc::new(UInt16Array::from(vec![65_535, 0, 1])),
            Number,
            I64,
            ["65535", "0", "1"],
            ["65535", "0", "1"],
        ),
        (
            "u32",
            Arc::new(UInt32Array::from(vec![u32::MAX, 0, 1])),
            Number,
            I64,
            ["4294967295", "0", "1"],
            ["4294967295", "0", "1"],
        ),
        (
            "u64",
            Arc::new(UInt64Array::from(vec![1 << 62, 0, 1])),
            Number,
            I64,
            ["4611686018427387904", "0", "1"],
            ["4611686018427387904", "0", "1"],
        ),
        (
            "u64 beyond",
            Arc::new(UInt64Array::from(vec![u64::MAX, 0, 1])),
            Number,
            F64,
            ["1.8446744073709552e19", "0.0", "1.0"],
            ["18446744073709551615", "0", "1"],
        ),
        ("f16", Arc::new(halves), Number, F64, ["1.5", "-", "-2.0"], ["1.5", "-", "-2"]),
        (
            "f32",
            Arc::new(Float32Array::from(vec![0.1, f32::NAN, f32::INFINITY])),
            Number,
            F64,
            ["0.10000000149011612", "-", "inf"],
            ["0.1", "-", "inf"],
        ),
        (
            "f64",
            Arc::new(Float64Array::from(vec![Some(0.1), None, Some(-0.0)])),
            Number,
            F64,
            ["0.1", "-", "-0.0"],
            ["0.1", "-", "0"],
        ),
        (
            "bool",
            Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
            Number,
            I64,
            ["1", "-", "0"],
            ["true", "-", "false"],
        ),
        (
            "money",
            Arc::new(
                Decimal128Array::from(vec![Some(1250), None, Some(-1200)])
                    .with_precision_and_scale(10, 2)
                    .unwrap(),
            ),
            Number,
            F64,
            ["12.5", "-", "-12.0"],
            ["12.5", "-", "-12"],
        ),
        (
            "whole money",
            Arc::new(
                Decimal128Array::from(vec![Some(1250), None, Some(-3)])
                    .with_precision_and_scale(30, 0)
                    .unwrap(),
            ),
            Number,
            I64,
            ["1250", "-", "-3"],
            ["1250", "-", "-3"],
        ),
        (
            "much money",
            Arc::new(
                Decimal256Array::from(vec![big, i256::ZERO, i256::from_i128(5)])
                    .with_precision_and_scale(50, 0)
                    .unwrap(),
            ),
            Number,
            F64,
            ["1e41", "0.0", "5.0"],
            ["99999999999999999999999999999999999999999", "0", "5"],
        ),
        ("nothing", Arc::new(NullArray::new(3)), Number, F64, ["-", "-", "-"], ["-", "-", "-"]),
        (
            "utf8",
            Arc::new(StringArray::from(vec![Some(" b "), None, Some("NA")])),
            Category,
            Str,
            ["b", "-", "-"],
            ["b", "-", "NA"],
        ),
        (
            "large",
            Arc::new(LargeStringArray::from(vec![Some("a"), Some(" "), Some("é")])),
            Category,
            Str,
            ["a", "-", "é"],
            ["a", "-", "é"],
        ),
        (
            "view",
            Arc::new(StringViewArray::from(vec![Some("a"), None, Some("a longer one than twelve bytes")])),
            Category,
            Str,
            ["a", "-", "a longer one than twelve bytes"],
            ["a", "-", "a longer one than twelve bytes"],
        ),
        (
            "digits as text",
            Arc::new(StringArray::from(vec!["007", "7", "7.0"])),
            Category,
            Str,
            ["007", "7", "7.0"],
            ["007", "7", "7.0"],
        ),
        (
            "dictionary",
            dictionary(&[Some("x"), None, Some("?")]),
            Category,
            Str,
            ["x", "-", "-"],
            ["x", "-", "?"],
        ),
        ("coded", Arc::new(coded), Number, I64, ["-7", "-", "500"], ["-7", "-", "500"]),
        (
            "date32",
            Arc::new(Date32Array::from(vec![Some(1), None, Some(-1)])),
            Time,
            I64,
            ["86400000000", "-", "-86400000000"],
            ["1970-01-02", "-", "1969-12-31"],
        ),
        (
            "date64",
            Arc::new(Date64Array::from(vec![Some(86_400_000), None, Some(0)])),
            Time,
            I64,
            ["86400000000", "-", "0"],
            ["1970-01-02", "-", "1970-01-01"],
        ),
        (
            "seconds",
            Arc::new(TimestampSecondArray::from(vec![Some(1), None, Some(-1)])),
            Time,
            I64,
            ["1000000", "-", "-1000000"],
            ["1970-01-01 00:00:01", "-", "1969-12-31 23:59:59"],
        ),
        (
            "millis",
            Arc::new(
                TimestampMillisecondArray::from(vec![Some(1), None, Some(1_500)]).with_timezone("+02:00"),
            ),
            Time,
            I64,
            ["1000", "-", "1500000"],
            ["1970-01-01 00:00:00.001Z", "-", "1970-01-01 00:00:01.5Z"],
        ),
        (
            "micros",
            Arc::new(TimestampMicrosecondArray::from(vec![Some(1), None, Some(0)]).with_timezone("UTC")),
            Time,
            I64,
            ["1", "-", "0"],
            ["1970-01-01 00:00:00.000001Z", "-", "1970-01-01 00:00:00Z"],
        ),
        (
            "nanos",
            Arc::new(TimestampNanosecondArray::from(vec![Some(1_999), None, Some(-1)])),
            Time,
            I64,
            ["1", "-", "-1"],
            ["1970-01-01 00:00:00.000001999", "-", "1969-12-31 23:59:59.999999999"],
        ),
        (
            "time32",
            Arc::new(Time32SecondArray::from(vec![Some(61), None, Some(0)])),
            Time,
            I64,
            ["61000000", "-", "0"],
            ["00:01:01", "-", "00:00:00"],
        ),
        (
            "time64",
            Arc::new(Time64MicrosecondArray::from(vec![Some(61), None, Some(0)])),
            Time,
            I64,
            ["61", "-", "0"],
            ["00:00:00.000061", "-", "00:00:00"],
        ),
    ]
}

#[test]
fn every_type() {
    let columns: Columns = cases().into_iter().map(|case| (case.0, case.1)).collect();
    let zstd = Compression::ZSTD(ZstdLevel::try_new(3).unwrap());
    for compression in [Compression::SNAPPY, Compression::UNCOMPRESSED, zstd] {
        for (group_rows, version) in [(1, WriterVersion::PARQUET_1_0), (2, WriterVersion::PARQUET_2_0)] {
            let properties =
                WriterProperties::builder().set_compression(compression).set_writer_version(version).build();
            let source = source(&write_with(columns.clone(), properties, group_rows));
            let table = Table::read(&source, &ReadOptions::default()).unwrap();
            let raw = columns.iter().map(|(name, _)| String::from(*name)).collect();
            let raw = Table::read(&source, &ReadOptions { raw, ..ReadOptions::default() }).unwrap();
            assert_eq!((table.n_rows(), table.batches().len()), (3, 1));
            for (idx, (name, _, kind, dtype, values, texts)) in cases().into_iter().enumerate() {
                let column = &table.profile().columns[idx];
                assert_eq!((column.kind, column.dtype, column.file_idx), (kind, dtype, idx), "{name}");
                assert_eq!(cells(table.batches()[0].column(idx)), values, "{name}");
                let n_missing = values.iter().filter(|v| **v == "-").count() as u64;
                assert_eq!(column.n_missing, n_missing, "{name}");
                assert_eq!(cells(raw.batches()[0].column(idx)), texts, "{name}");
                assert_eq!(raw.profile().columns[idx].kind, kind, "{name}");
            }
        }
    }
    let table = read(columns, &ReadOptions::default()).unwrap();
    let profile = table.profile();
    assert_eq!((profile.delimiter, profile.has_header, profile.n_rows), (None, true, 3));
    let of = |name: &str| &profile.columns[profile.column_idx(name).unwrap()];
    assert_eq!((of("f32").n_infinite, of("f32").n_distinct), (1, 2));
    assert_eq!(of("bool").why, "true and false, as 1 and 0");
    assert_eq!(of("bool").examples, ["true", "false"]);
    assert_eq!(of("digits as text").why, "3 values; stored as text");
    assert_eq!(of("nanos").examples, ["1970-01-01 00:00:00.000001999", "1969-12-31 23:59:59.999999999"]);
    assert!(of("nothing").all_missing);
}

#[test]
fn row_groups_come_in_batches() {
    let n = 150_000_i64;
    let numbers: ArrayRef = Arc::new((0..n).map(|i| (i % 10 != 0).then_some(i)).collect::<Int64Array>());
    let floats: ArrayRef = Arc::new((0..n).map(|i| Some(i as f64 / 4.0)).collect::<Float64Array>());
    let names: Vec<String> = (0..n).map(|i| format!("k{}", i % 7)).collect();
    let keys: Vec<Option<&str>> = names.iter().map(|k| Some(k.as_str())).collect();
    let columns = vec![("n", numbers), ("f", floats), ("k", dictionary(&keys))];
    for group_rows in [1_000, 70_000, usize::MAX] {
        let source = source(&write_with(columns.clone(), properties(), group_rows));
        let table = Table::read(&source, &ReadOptions::default()).unwrap();
        let lens: Vec<usize> = table.batches().iter().map(RecordBatch::num_rows).collect();
        assert_eq!(lens, [65_536, 65_536, 18_928]);
        let read: Vec<Option<i64>> =
            table.column(0).flat_map(|a| a.as_primitive::<Int64Type>().iter()).collect();
        assert!(read.iter().zip(0..).all(|(v, i)| *v == (i % 10 != 0).then_some(i)));
        let read: Vec<&str> = table.column(2).flat_map(|a| a.as_string::<i32>().iter().flatten()).collect();
        assert_eq!(read, names);
        let column = &table.profile().columns[0];
        assert_eq!((column.n_distinct, column.more_distinct, column.n_missing), (10_000, true, 15_000));
    }
}

#[test]
fn long_texts_shorten_the_batches() {
    // One value, so that the file is small however long its rows are.
    let long = "x".repeat(1 << 20);
    let mut rows: Vec<Option<&str>> = vec![Some("a"); 1_000];
    rows.extend(vec![Some(long.as_str()); 200]);
    for array in [dictionary(&rows), Arc::new(StringArray::from(rows.clone())) as ArrayRef] {
        let table = read(vec![("t", array)], &ReadOptions::default()).unwrap();
        assert_eq!(table.n_rows(), 1_200);
        assert!(table.batches().len() >= 3);
        let bytes = |b: &RecordBatch| b.column(0).as_string::<i32>().value_data().len();
        assert!(table.batches().iter().all(|b| bytes(b) <= 64 << 20));
    }
}

#[test]
fn what_is_dropped_is_not_looked_at() {
    let mut list = ListBuilder::new(arrow_array::builder::Int32Builder::new());
    for i in 0..2 {
        list.values().append_value(i);
        list.append(true);
    }
    let inner: ArrayRef = Arc::new(Int32Array::from(vec![1, 2]));
    let structs = StructArray::from(vec![(Arc::new(Field::new("x", DataType::Int32, true)), inner)]);
    let bad: Vec<(&str, ArrayRef, &str)> = vec![
        ("l", Arc::new(list.finish()), "list"),
        ("s", Arc::new(structs), "struct"),
        ("b", Arc::new(BinaryArray::from(vec![&b"1"[..], b"2"])), "binary"),
        (
            "fb",
            Arc::new(FixedSizeBinaryArray::try_from_iter([[1_u8; 4], [2; 4]].into_iter()).unwrap()),
            "binary of 4 bytes",
        ),
        ("d", Arc::new(DurationSecondArray::from(vec![1, 2])), "duration"),
    ];
    for (name, array, got) in bad {
        let number: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
        let after: ArrayRef = Arc::new(Int64Array::from(vec![3, 4]));
        let source = source(&write(vec![("n", number), (name, array), ("z", after)]));
        let error = profile(&source, &ReadOptions::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "t.parquet: column {name:?} (2) has type {got}, which is not read; leave it out with --drop {name}"
            )
        );
        assert_eq!(error.nature(), Nature::Unsupported);
        let options = ReadOptions { drop: vec![name.into()], ..ReadOptions::default() };
        let table = Table::read(&source, &options).unwrap();
        assert_eq!(table.profile().columns[1].file_idx, 2);
        assert_eq!(cells(table.batches()[0].column(1)), ["3", "4"]);
        let model = signature(&[("z", ColumnKind::Number, DType::I64)]);
        assert_eq!(read_for(&source, &model, &[]).unwrap().count(), 1);
        let error = read_for(&source, &model, &[name.into()]).err().unwrap();
        assert_eq!(error.nature(), Nature::Unsupported);
    }
}

#[test]
fn declared_kinds_and_markers() {
    use ColumnKind::{Category, Number, Text, Time};
    let columns = || -> Columns {
        vec![
            ("code", Arc::new(Int64Array::from(vec![7, -999, 8]))),
            ("rate", Arc::new(Float32Array::from(vec![0.1, -999.0, 2.0]))),
            ("flag", Arc::new(BooleanArray::from(vec![true, false, true]))),
            ("zip", Arc::new(StringArray::from(vec!["007", "-999", "8.50"]))),
            ("day", Arc::new(Date32Array::from(vec![0, 1, 0]))),
        ]
    };
    let mut options = types(&[
        ("code", Category),
        ("rate", Category),
        ("flag", Category),
        ("zip", Number),
        ("day", Category),
    ]);
    options.missing = vec!["-999".into(), "1970-01-02".into()];
    let table = read(columns(), &options).unwrap();
    let found: Vec<_> = table.profile().columns.iter().map(|c| (c.kind, c.dtype, c.n_missing)).collect();
    assert_eq!(
        found,
        [
            (Category, DType::I64, 1),
            (Category, DType::F64, 1),
            (Category, DType::I64, 0),
            (Number, DType::F64, 1),
            (Category, DType::Str, 1)
        ]
    );
    let batch = &table.batches()[0];
    let expected: [[&str; 3]; 5] = [
        ["7", "-", "8"],
        ["0.1", "-", "2"],
        ["1", "0", "1"],
        ["7.0", "-", "8.5"],
        ["1970-01-01", "-", "1970-01-01"],
    ];
    for (idx, expected) in expected.iter().enumerate() {
        assert_eq!(&cells(batch.column(idx)), expected, "{idx}");
    }
    let table = read(columns(), &types(&[("day", Time), ("zip", Text)])).unwrap();
    assert_eq!(table.profile().columns[4].kind, Time);
    assert_eq!(cells(table.batches()[0].column(4)), ["0", "86400000000", "0"]);
    let message = |options: &ReadOptions| read(columns(), options).unwrap_err().to_string();
    assert_eq!(
        message(&types(&[("day", Number)])),
        "t.parquet: column \"day\" (5) is declared number: expected numbers, got \"1970-01-01\" at row 1, \
         \"1970-01-02\" at row 2, \"1970-01-01\" at row 3 (3 such); declare it missing with --missing 1970-01-01, \
         or leave out --types day=number"
    );
    assert_eq!(
        message(&types(&[("code", Time)])),
        "t.parquet: column \"code\" (1) is declared time: no known format of time reads every cell up to \"7\" at row 1; \
         mend the cell, declare it missing with --missing 7, or leave out --types code=time"
    );
    assert_eq!(
        message(&types(&[("cod", Number)])),
        "t.parquet: no column \"cod\"; did you mean \"code\"? columns: code, rate, flag, zip, day"
    );
}

#[test]
fn messages() {
    let none = ReadOptions::default();
    let one = |name: &'static str, array: ArrayRef| read(vec![(name, array)], &none).unwrap_err().to_string();
    let number: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    assert_eq!(
        one("n", Arc::new(Int64Array::from(Vec::<i64>::new()))),
        "t.parquet: expected rows, got none; check that it was written"
    );
    assert_eq!(
        one(" ", Arc::clone(&number)),
        "t.parquet: column 1 has no name; name it in the header, or write the table without its row index"
    );
    assert_eq!(
        read(vec![("a", Arc::clone(&number)), ("a ", number)], &none).unwrap_err().to_string(),
        "t.parquet: columns 1 and 2 are both named \"a\"; rename one of them"
    );
    assert_eq!(
        one("t", Arc::new(StringArray::from(vec!["a", "b\0"]))),
        "t.parquet: row 2, column \"t\" (1): expected text, got a zero byte; take it out, or leave the column out with --drop t"
    );
    assert_eq!(
        one("t", dictionary(&[Some("a"), Some("a"), Some("\0")])),
        "t.parquet: row 3, column \"t\" (1): expected text, got a zero byte; take it out, or leave the column out with --drop t"
    );
    assert_eq!(
        one("t", Arc::new(TimestampSecondArray::from(vec![0, i64::MAX]))),
        "t.parquet: row 2, column \"t\" (1): expected a time within 292,000 years of 1970, got another; mend it, or leave the column out with --drop t"
    );
}

#[test]
fn a_plan_types_by_the_signature() {
    use ColumnKind::{Category, Number};
    let rows: Columns = vec![
        ("skip", Arc::new(BinaryArray::from(vec![&b"1"[..], b"2", b"3"]))),
        ("i", Arc::new(Float64Array::from(vec![1.2, f64::NAN, -1.2]))),
        ("f", Arc::new(Int32Array::from(vec![Some(1), None, Some(3)]))),
        ("s", Arc::new(StringArray::from(vec!["1.5", "NA", " 2 "]))),
        ("c", Arc::new(Int64Array::from(vec![7, 8, 9]))),
        ("k", dictionary(&[Some("007"), Some("7.0"), Some("x")])),
        ("b", Arc::new(BooleanArray::from(vec![true, false, true]))),
        ("m", Arc::new(Decimal128Array::from(vec![150, 200, 5]).with_precision_and_scale(9, 2).unwrap())),
        ("y", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
    ];
    let source = source(&write(rows));
    let model = signature(&[
        ("m", Number, DType::I64),
        ("i", Number, DType::I64),
        ("f", Number, DType::F64),
        ("s", Number, DType::F64),
        ("c", Category, DType::Str),
        ("k", Category, DType::I64),
        ("b", Category, DType::Str),
    ]);
    let mut plan = ReadPlan::new(&model);
    plan.also = vec!["y".into(), "i".into(), "m".into()];
    let read = plan.read(&source).unwrap();
    assert_eq!(read.schema().fields().len(), 10);
    let read: Vec<RecordBatch> = read.collect::<Result<_>>().unwrap();
    let expected: [[&str; 3]; 10] = [
        ["2", "2", "1"],
        ["2", "-", "-1"],
        ["1.0", "-", "3.0"],
        ["1.5", "-", "2.0"],
        ["7", "8", "9"],
        ["7", "7", "x"],
        ["true", "false", "true"],
        ["true", "-", "false"],
        ["1.2", "-", "-1.2"],
        ["1.5", "2", "0.05"],
    ];
    for (idx, expected) in expected.iter().enumerate() {
        assert_eq!(&cells(read[0].column(idx)), expected, "{idx}");
    }
    assert_eq!(bind(&read[0], &model).unwrap().columns().len(), 7);
    let nothing = read_for(&source, &signature(&[]), &[]).unwrap();
    assert_eq!(nothing.map(|b| b.unwrap().num_rows()).sum::<usize>(), 3);

    let message = |name, kind, dtype| {
        let model = signature(&[(name, kind, dtype)]);
        let read = read_for(&source, &model, &[]);
        read.err()
            .or_else(|| read_for(&source, &model, &[]).unwrap().find_map(Result::err))
            .unwrap()
            .to_string()
    };
    assert_eq!(
        message("k", Number, DType::F64),
        "t.parquet: column \"k\" (6): expected a number, got \"x\" at row 3; declare it missing with --missing x"
    );
    assert_eq!(
        message("fx", Number, DType::F64),
        "t.parquet: no column \"fx\" (did you mean \"f\"?); add or rename the column"
    );
    assert_eq!(
        message("i", ColumnKind::Time, DType::I64),
        "column \"i\": expected time, got Arrow type Float64; cast it before binding"
    );
}

/// The rows of a bound column as text; missing ones as `-`.
fn bound_cells(batch: &RecordBatch, model: &Signature) -> Result<Vec<String>> {
    let bound = bind(batch, model)?;
    let column = bound.columns()[0];
    Ok((0..column.n_rows())
        .map(|row| match column.data() {
            _ if !column.is_valid(row) => String::from("-"),
            ColumnData::F64(v) if v[row].is_nan() => String::from("-"),
            ColumnData::F64(v) => format!("{:?}", v[row]),
            ColumnData::I64(v) => v[row].to_string(),
            _ => String::from(column.text(row).unwrap()),
        })
        .collect())
}

/// A batch from anywhere binds as the Parquet file that holds it is read: every type, every input, and
/// the same errors.
#[test]
fn a_batch_binds_as_its_file_is_read() {
    use ColumnKind::{Category, Number, Text, Time};
    use DType::{F64, I64, Str};
    let inputs = [
        (Number, I64),
        (Number, F64),
        (Category, Str),
        (Category, I64),
        (Category, F64),
        (Text, Str),
        (Time, I64),
        (Time, Str),
    ];
    let mut arrays: Vec<(&str, ArrayRef)> = cases().into_iter().map(|case| (case.0, case.1)).collect();
    let marked = ["-9", "NA", " ?", "-9.0", "lost", ""];
    arrays.push(("marked text", Arc::new(StringArray::from(marked.to_vec()))));
    arrays.push(("marked view", Arc::new(StringViewArray::from(marked.to_vec()))));
    arrays.push(("marked keys", dictionary(&marked.map(Some))));
    arrays.push(("marked ints", Arc::new(Int64Array::from(vec![Some(-9), None, Some(9)]))));
    arrays.push(("marked floats", Arc::new(Float64Array::from(vec![-9.0, f64::NAN, 0.5]))));
    arrays.push(("zero", Arc::new(StringArray::from(vec!["1", "1\0"]))));
    arrays.push(("far", Arc::new(TimestampSecondArray::from(vec![0, i64::MAX]))));
    arrays.push(("binary", Arc::new(BinaryArray::from(vec![&b"1"[..]]))));
    let mut n_alike = 0;
    for (name, array) in &arrays {
        let bytes = write(vec![(*name, Arc::clone(array))]);
        let batch = RecordBatch::try_from_iter_with_nullable([(*name, Arc::clone(array), true)]).unwrap();
        for (kind, dtype) in inputs {
            let mut model = signature(&[(*name, kind, dtype)]);
            model.missing = vec![String::from("-9"), String::from("lost")];
            let read =
                ReadPlan::new(&model).read(&source(&bytes)).and_then(Iterator::collect::<Result<Vec<_>>>);
            let expected = read.and_then(|read| bound_cells(&read[0], &model)).map_err(|e| e.to_string());
            let got = bound_cells(&batch, &model).map_err(|e| e.to_string());
            let what = format!("{name} as {kind} {dtype}");
            match (expected, got) {
                (Ok(expected), Ok(got)) => {
                    n_alike += 1;
                    assert_eq!(got, expected, "{what}");
                }
                (Err(expected), Err(got)) if *name == "binary" => {
                    assert!(expected.contains("has type binary"), "{expected}");
                    assert_eq!(
                        got,
                        "column \"binary\": Arrow type Binary is not supported; cast it to a number, text or time type"
                    );
                }
                (Err(expected), Err(got)) => {
                    assert_eq!(got, expected.replace("t.parquet:", "table:"), "{what}")
                }
                (expected, got) => panic!("{what}: {expected:?} {got:?}"),
            }
        }
    }
    assert!(n_alike > 150, "{n_alike}");
}

/// Batches in memory make the table that their file makes, however they are cut.
#[test]
fn a_table_of_batches_is_that_of_its_file() {
    let columns: Columns = cases().into_iter().map(|case| (case.0, case.1)).collect();
    let whole = RecordBatch::try_from_iter_with_nullable(
        columns.iter().map(|(name, array)| (*name, Arc::clone(array), true)),
    )
    .unwrap();
    let raw = vec![String::from(columns[0].0)];
    let options = ReadOptions { raw, ..types(&[("i16", ColumnKind::Category)]) };
    let read = read(columns, &options).unwrap();
    for batches in [vec![whole.clone()], vec![whole.slice(0, 1), whole.slice(1, 0), whole.slice(1, 2)]] {
        let table = Table::from_batches("t.parquet", &batches, &options).unwrap();
        assert_eq!(table.profile(), read.profile());
        for idx in 0..table.n_columns() {
            let of = |table: &Table| table.column(idx).flat_map(cells).collect::<Vec<_>>();
            assert_eq!(of(&table), of(&read));
        }
    }
    let n: ArrayRef = Arc::new((0..150_000).map(Some).collect::<Int64Array>());
    let long = RecordBatch::try_from_iter([("n", n)]).unwrap();
    let table = Table::from_batches("t", &[long], &ReadOptions::default()).unwrap();
    let lens: Vec<usize> = table.batches().iter().map(RecordBatch::num_rows).collect();
    assert_eq!(lens, [65_536, 65_536, 18_928]);

    let other = RecordBatch::try_from_iter([("n", Arc::new(Int32Array::from(vec![1])) as ArrayRef)]).unwrap();
    let message = |batches: &[RecordBatch]| {
        Table::from_batches("frame", batches, &ReadOptions::default()).unwrap_err().to_string()
    };
    assert_eq!(
        message(&[table.batches()[0].clone(), other]),
        "frame: batch 2 has other columns or types than the first; cast it, or make a table of each"
    );
    assert!(message(&[]).starts_with("frame: "), "{}", message(&[]));
    let twice = vec![("a", dictionary(&[None])), ("a ", dictionary(&[None]))];
    let twice =
        RecordBatch::try_from_iter_with_nullable(twice.into_iter().map(|(n, a)| (n, a, true))).unwrap();
    assert_eq!(message(&[twice]), "frame: columns 1 and 2 are both named \"a\"; rename one of them");
}

#[test]
fn a_csv_and_a_parquet_file_of_one_table_are_alike() {
    use ColumnKind::Category;
    let csv = "\
big,rate,town,code,note,empty
9007199254740993,0.5,Bonn,007,one two three four five six,
NA,inf, Köln ,7,one two three four five,
-3,1e300,?,8,a b c d e f g h,NA
";
    let columns: Columns = vec![
        ("big", Arc::new(Int64Array::from(vec![Some(9_007_199_254_740_993), None, Some(-3)]))),
        ("rate", Arc::new(Float64Array::from(vec![0.5, f64::INFINITY, 1e300]))),
        ("town", dictionary(&[Some("Bonn"), Some("Köln"), None])),
        ("code", Arc::new(Int16Array::from(vec![7, 7, 8]))),
        (
            "note",
            Arc::new(LargeStringArray::from(vec![
                "one two three four five six",
                "one two three four five",
                "a b c d e f g h",
            ])),
        ),
        ("empty", Arc::new(NullArray::new(3))),
    ];
    let options = types(&[("code", Category)]);
    let parquet = source(&write(columns));
    let csv = Source::spool("t.csv", csv.as_bytes()).unwrap();
    let (a, b) = (Table::read(&csv, &options).unwrap(), Table::read(&parquet, &options).unwrap());
    for (a, b) in a.profile().columns.iter().zip(&b.profile().columns) {
        assert_eq!(
            (&a.name, a.kind, a.dtype, a.n_missing, a.n_distinct, a.n_infinite, a.constant),
            (&b.name, b.kind, b.dtype, b.n_missing, b.n_distinct, b.n_infinite, b.constant)
        );
    }
    assert_eq!(a.batches(), b.batches());
    let inputs: Vec<Input> = a
        .profile()
        .columns
        .iter()
        .map(|c| Input { name: c.name.clone(), kind: c.kind, dtype: c.dtype })
        .collect();
    let model = Signature { inputs, ..signature(&[]) };
    let planned = |source| read_for(source, &model, &[]).unwrap().collect::<Result<Vec<_>>>().unwrap();
    let (a, b) = (planned(&csv), planned(&parquet));
    assert_eq!(a, b);
    let (a, b) = (bind(&a[0], &model).unwrap(), bind(&b[0], &model).unwrap());
    for (a, b) in a.columns().iter().zip(b.columns()) {
        assert_eq!(a.dtype(), b.dtype());
        for row in 0..3 {
            assert_eq!((a.is_valid(row), a.text(row)), (b.is_valid(row), b.text(row)));
            match (a.data(), b.data()) {
                // What a missing row holds is arbitrary.
                _ if !a.is_valid(row) => {}
                (ColumnData::F64(a), ColumnData::F64(b)) => assert_eq!(a[row].to_bits(), b[row].to_bits()),
                (ColumnData::I64(a), ColumnData::I64(b)) => assert_eq!(a[row], b[row]),
                _ => {}
            }
        }
    }
}

#[test]
fn a_file_that_changes_between_the_passes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    let file = path.to_string_lossy().into_owned();
    let column =
        |name: &'static str, values: Vec<i64>| write(vec![(name, Arc::new(Int64Array::from(values)))]);
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["1", "x"]));
    let options = ReadOptions::default();
    for (after, row) in [
        (column("a", vec![1]), 1),
        (column("a", vec![1, 2, 3]), 3),
        (column("b", vec![1, 2]), 0),
        (write(vec![("a", texts)]), 2),
    ] {
        std::fs::write(&path, column("a", vec![1, 2])).unwrap();
        let source = Source::parse(&file).unwrap();
        let found = profile(&source, &options).unwrap();
        std::fs::write(&path, after).unwrap();
        let error = match batches(&source, &options, &found) {
            Ok(mut batches) => batches.find_map(Result::err).unwrap(),
            Err(error) => error,
        };
        assert_eq!(
            error.to_string(),
            format!("{file}: changed while it was read (row {row}); read it again when nothing writes it")
        );
    }
}

/// Wherever a file is cut and whatever byte is wrong: rows or an error of the input, no panic.
/// Found by fuzzing: a header says that 2^40 values follow, and behind the end of the file the decoder read
/// empty ones for ever.
#[test]
fn a_header_that_goes_on_behind_the_end() {
    let bytes = include_bytes!("data/endless_header.parquet");
    let error = Table::read(&source(bytes), &ReadOptions::default()).unwrap_err();
    assert_eq!(error.nature(), Nature::Input);
    assert!(error.to_string().starts_with("t.parquet: the Parquet data is damaged: "), "{error}");
}

#[test]
fn damaged_files() {
    let columns: Columns = vec![
        ("i", Arc::new(Int64Array::from((0..50).map(|i| (i % 7 != 0).then_some(i * i)).collect::<Vec<_>>()))),
        ("f", Arc::new(Float64Array::from((0..50).map(f64::from).collect::<Vec<_>>()))),
        ("d", dictionary(&(0..50).map(|i| Some(if i % 3 == 0 { "aaa" } else { "b" })).collect::<Vec<_>>())),
        ("t", Arc::new(StringArray::from((0..50).map(|i| format!("text {i}")).collect::<Vec<_>>()))),
        ("b", Arc::new(BooleanArray::from((0..50).map(|i| i % 2 == 0).collect::<Vec<_>>()))),
        ("w", Arc::new(TimestampMillisecondArray::from((0..50).collect::<Vec<_>>()))),
    ];
    let check = |bytes: &[u8], what: String| {
        if let Err(error) = Table::read(&source(bytes), &ReadOptions::default()) {
            assert_ne!(error.nature(), Nature::Bug, "{what}: {error}");
        }
    };
    let zstd = Compression::ZSTD(ZstdLevel::try_new(1).unwrap());
    for (at_first, compression) in
        [Compression::UNCOMPRESSED, Compression::SNAPPY, zstd].into_iter().enumerate()
    {
        let properties = WriterProperties::builder()
            .set_compression(compression)
            .set_writer_version(WriterVersion::PARQUET_2_0)
            .build();
        let bytes = write_with(columns.clone(), properties, 20);
        assert_eq!(Table::read(&source(&bytes), &ReadOptions::default()).unwrap().n_rows(), 50);
        for len in (0..bytes.len()).step_by(97) {
            let cut = &bytes[..len];
            let result = Table::read(&source(cut), &ReadOptions::default());
            assert_eq!(result.unwrap_err().nature(), Nature::Input, "cut to {len}");
        }
        for at in (at_first..bytes.len()).step_by(11) {
            for mask in [0x01, 0x80, 0xff] {
                let mut wrong = bytes.clone();
                wrong[at] ^= mask;
                check(&wrong, format!("byte {at} ^ {mask}"));
            }
        }
    }
    let bytes = write(columns);
    assert_eq!(
        Table::read(&source(&bytes[..bytes.len() - 9]), &ReadOptions::default()).unwrap_err().to_string(),
        "t.parquet: the Parquet data is damaged: Parquet error: Invalid Parquet file. Corrupt footer; copy or download the file again"
    );
}
