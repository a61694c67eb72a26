//! The file against hostile hands: sections rewritten behind a valid digest.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

use smidgen_ir::digest::Digest;
use smidgen_ir::fixed::{Half, Narrow};
use smidgen_ir::forest::{CodedFeature, Tree};
use smidgen_ir::op::{Bin, ForestOp};
use smidgen_ir::{Card, ColumnKind, DType, Forest, GraphBuilder, Input, Model, Op, OutputRole};
use smidgen_ir::{Shape, Signature, Task, Tensor, TensorData, file};

const CONSTANTS: u8 = 3;
const FORESTS: u8 = 4;

/// One number, two equal forests of one leaf over it, and any constants beside.
fn model(constants: &[Tensor]) -> Model {
    let mut b = GraphBuilder::new();
    let x = b.input("x", DType::F64, Shape::rows()).unwrap();
    let edges = b.constant(Tensor::vector(TensorData::F64(vec![1.5]))).unwrap();
    let codes = b.node(Op::Bin(Bin), &[x, edges]).unwrap();
    let features = vec![CodedFeature { n_codes: 2, ordered: true }];
    let leaf = Tree { first_output: 0, width: 1, splits: vec![], leaves: vec![9] };
    let forest = Forest::try_new(features, vec![3], vec![leaf]).unwrap().into();
    let op = Op::Forest(ForestOp { forest });
    // The builder gives one node for equal ones without a name.
    let first = b.node(op.clone(), &[codes]).unwrap();
    let scores = [first, b.node_named("forest4", op, &[codes]).unwrap()[0]];
    for constant in constants {
        b.constant(constant.clone()).unwrap();
    }
    let signature = Signature {
        task: Task::Regression,
        target: "y".into(),
        targets: Vec::new(),
        inputs: vec![Input { name: "x".into(), kind: ColumnKind::Number, dtype: DType::F64 }],
        outputs: vec![OutputRole::Score; 2],
        classes: vec![],
        positive: None,
        missing: Vec::new(),
        columns: Vec::new(),
        joined: None,
    };
    Model::try_new(b.finish(&scores).unwrap(), signature, Card::default()).unwrap()
}

/// The sections of a file, each below 128 bytes.
fn sections(bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let n = usize::from(bytes[6]);
    let mut at = 7 + 2 * n;
    let table = bytes[7..at].chunks(2);
    let take = |pair: &[u8]| {
        assert!(pair[1] < 128);
        let section = bytes[at..at + usize::from(pair[1])].to_vec();
        at += section.len();
        (pair[0], section)
    };
    table.map(take).collect()
}

/// A file of sections, behind a valid digest.
fn seal(sections: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = b"SMDG\x01\x00".to_vec();
    bytes.push(sections.len() as u8);
    for (tag, section) in sections {
        bytes.push(*tag);
        let mut length = section.len();
        while length >= 128 {
            bytes.push(length as u8 | 128);
            length >>= 7;
        }
        bytes.push(length as u8);
    }
    sections.iter().for_each(|(_, s)| bytes.extend_from_slice(s));
    let mut digest = Digest::new();
    digest.bytes(&bytes);
    bytes.extend_from_slice(&digest.finish().to_le_bytes());
    bytes
}

/// The error of a file whose section `tag` was changed.
fn changed(tag: u8, change: impl Fn(&mut Vec<u8>)) -> String {
    let mut all = sections(&file::write(&model(&[])));
    all.iter_mut().filter(|(t, _)| *t == tag).for_each(|(_, s)| change(s));
    file::read(&seal(&all)).map_or_else(|e| e.to_string(), |_| "ok".into())
}

#[test]
fn sections_are_put_together_again() {
    let written = file::write(&model(&[]));
    assert_eq!(seal(&sections(&written)), written);
}

#[test]
fn hostile_sections() {
    let damaged = |section: &str, at: usize, what: &str| {
        format!(
            "model file: section \"{section}\", byte {at}: {what}; the file is damaged or truncated, copy it again"
        )
    };
    assert_eq!(changed(CONSTANTS, |_| ()), "ok");
    let more = changed(CONSTANTS, |s| {
        s[0] += 1;
        s.extend_from_slice(&[DType::U8.tag(), 1, 1, 7]);
    });
    assert!(more.contains("a constant or a forest belongs to no node"), "{more}");
    // Both nodes would take the one forest that is left.
    let shared = changed(FORESTS, |s| {
        s[0] -= 1;
        s.truncate(1 + (s.len() - 1) / 2);
    });
    assert!(shared.contains("a forest is missing"), "{shared}");
    // 255 codes; 1 << 14 of them would cost a reader 64 kB a feature.
    let codes = changed(FORESTS, |s| drop(s.splice(2..3, [0xfd, 0x07])));
    assert_eq!(codes, damaged("forests", 4, "a feature has too many codes"));
    let mut huge = vec![1, 0xff, 0xff, 0x7f];
    huge.resize(100, 0);
    let features = changed(FORESTS, |s| *s = huge.clone());
    assert_eq!(features, damaged("forests", 4, "a count is larger than the bytes that are left"));
    // 17 trees for one byte.
    let trees = changed(FORESTS, |s| *s = vec![1, 1, 9, 1, 0, 17, 0, 0, 0, 1, 0]);
    assert_eq!(trees, damaged("forests", 11, "the trees are more than their bytes can hold"));
    // A flag that no form has, and leaves of 33 bits.
    for form in [[8, 0], [0, 33]] {
        let form = changed(FORESTS, |s| *s = vec![1, 1, 9, 1, 0, 1, 0, form[0], form[1], 1, 0]);
        assert_eq!(form, damaged("forests", 9, "the form of a forest is not known"));
    }
    // A constant of 2^40 elements, one of a width that no f64 has, one that leaves its dtype.
    let constant = |bytes: &[u8]| changed(CONSTANTS, |s| *s = bytes.to_vec());
    let large = "a constant is larger than the bytes that are left";
    assert_eq!(constant(&[1, 2, 1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20]), damaged("constants", 9, large));
    assert_eq!(
        constant(&[1, 11, 1, 1, 9, 0]),
        damaged("constants", 5, "the width of a constant is out of range")
    );
    assert_eq!(
        constant(&[1, 5, 1, 1, 0x80, 0x80, 0x04]),
        damaged("constants", 7, "a constant leaves the range of its dtype")
    );
    // Rising: more than 16 a byte, of a unit that no double has, of a dtype that is not coded so, and zeros
    // one after the other.
    let rising = DType::F64.tag() | 0x80;
    assert_eq!(constant(&[1, rising, 1, 65, 0, 1, 0]), damaged("constants", 4, large));
    let few = "a constant is larger than its bytes can hold";
    assert_eq!(constant(&[1, rising, 1, 40, 0, 1, 0]), damaged("constants", 7, few));
    assert_eq!(
        constant(&[1, rising, 1, 2, 0x80, 0x10, 1, 0]),
        damaged("constants", 6, "the unit of a constant is out of range")
    );
    assert_eq!(
        constant(&[1, DType::I32.tag() | 0x80, 1, 2, 1, 0]),
        damaged("constants", 4, "a constant of this dtype does not rise")
    );
    assert_eq!(
        constant(&[1, rising, 1, 2, 0, 1, 0]),
        damaged("constants", 7, "a rising constant is too large")
    );
    // The number of complex floats, which are no dtype here, and a code that an integer of 4 bits has not.
    assert_eq!(constant(&[1, 14, 0]), damaged("constants", 2, "the dtype of a constant is not known"));
    assert_eq!(constant(&[1, 21, 1, 1, 16]), damaged("constants", 5, "16 is no code of u4"));
    // Texts: "a" and one that shares two bytes with it; half of an "é" alone, and one joined from two texts.
    assert_eq!(
        constant(&[1, 8, 1, 2, 0x01, b'a', 0x20]),
        damaged("constants", 7, "a text shares more than there is")
    );
    assert_eq!(constant(&[1, 8, 1, 1, 0x01, 0xc3]), damaged("constants", 6, "a text is not UTF-8"));
    let joined = constant(&[1, 8, 1, 2, 0x02, 0xc3, 0xa9, 0x11, 0xaa]);
    assert!(joined.contains("(Bin): edges: expected f64, got string"), "{joined}");
    assert_eq!(
        constant(&[1, 8, 1, 1, 0x0f, 0xff, 0x7f]),
        damaged("constants", 7, "a count is larger than the bytes that are left")
    );
    // Floats by a table: of one, with a place beyond it; of more than there are bytes; of no width.
    assert_eq!(
        constant(&[1, 11, 1, 2, 0, 1, 1, 63, 0, 1]),
        damaged("constants", 10, "a constant is not in its table")
    );
    assert_eq!(
        constant(&[1, 11, 1, 2, 0, 9, 1, 63]),
        damaged("constants", 6, "a count is larger than the bytes that are left")
    );
    assert_eq!(
        constant(&[1, 11, 1, 2, 0, 1, 0, 63, 0, 0]),
        damaged("constants", 7, "the width of a constant is out of range")
    );
}

fn strings(texts: &[String]) -> Tensor {
    Tensor::vector(TensorData::Str(texts.to_vec()))
}

/// Bytes of a constant's elements in the file.
fn cost(data: TensorData) -> usize {
    let n = data.len();
    let with = model(&[Tensor::vector(data)]);
    let written = file::write(&with);
    assert_eq!(file::read(&written).unwrap(), with);
    assert_eq!(file::write(&file::read(&written).unwrap()), written);
    let constants = |model: &Model| {
        let all = file::write(model);
        let n_sections = usize::from(all[6]);
        // Lengths of sections are varints.
        let mut at = 7;
        for _ in 0..n_sections {
            let tag = all[at];
            let (mut length, mut shift) = (0usize, 0);
            loop {
                at += 1;
                length |= usize::from(all[at] & 127) << shift;
                shift += 7;
                if all[at] < 128 {
                    break;
                }
            }
            at += 1;
            if tag == CONSTANTS {
                return length;
            }
        }
        0
    };
    // Dtype, rank, one varint of length.
    let varint = [128, 1 << 14, 1 << 21].iter().filter(|&&limit| n >= limit).count() + 1;
    constants(&with) - constants(&model(&[])) - 2 - varint
}

#[test]
fn texts_are_stored_by_what_differs() {
    let cost = |texts: &[&str]| cost(TensorData::Str(texts.iter().map(ToString::to_string).collect()));
    let x = "x".repeat(300);
    let cases: [(&[&str], usize); 10] = [
        (&[], 0),
        (&[""], 1),
        (&["cat", "cats", "cattle"], 4 + 2 + 4),
        (&["cats", "cat", "dog"], 5 + 1 + 4),
        // Characters of which only a part is shared.
        (&["é", "è", "𝄞", "𝄢"], 3 + 2 + 5 + 2),
        // 14, 15 and 16 own bytes.
        (&[&x[..14]], 15),
        (&[&x[..15]], 17),
        (&[&x[..16]], 18),
        // 15 bytes are shared at most.
        (&[&x[..16], &x[..16]], 18 + 2),
        (&[&x, &x], 303 + 1 + 2 + 285),
    ];
    for (texts, expected) in cases {
        assert_eq!(cost(texts), expected, "{texts:?}");
    }
}

#[test]
fn rising_numbers_come_back() {
    let tiny = f64::from_bits(1);
    let floats = [
        vec![tiny, 2.0 * tiny, 3.0 * tiny],
        vec![-f64::MIN_POSITIVE, 0.0, f64::MIN_POSITIVE],
        vec![-1.5, -0.0, 0.25],
        vec![-1e300, 1e-300, 1e300],
        vec![f64::NEG_INFINITY, 1.0, f64::INFINITY],
        vec![f64::MAX / 2.0, f64::MAX],
        (-300..300).map(|i| f64::from(i) * 0.125).collect(),
        (1..254).map(|i| f64::from(i).sqrt()).collect(),
    ];
    let lengths = floats.map(|v| cost(TensorData::F64(v)));
    // As leading bytes they would be 1801 and 2025.
    assert!(lengths[6] < 400 && lengths[7] < 1500, "{lengths:?}");
    let wholes = [
        vec![i64::MIN, i64::MAX],
        vec![-(1 << 61), 0, 1 << 61],
        vec![1 - (1 << 61), -1, 0, 1, (1 << 61) - 1],
        (-500..500).map(|i| i * 64).collect(),
        (0..200).map(|i| i * i * i).collect(),
    ];
    let lengths = wholes.map(|v| cost(TensorData::I64(v)));
    assert!(lengths[3] < 800 && lengths[4] < 400, "{lengths:?}");
}

#[test]
fn floats_that_repeat_are_stored_once() {
    let third = 1.0 / 3.0;
    let many: Vec<f64> = (0..1000).map(|i| 1.0 / f64::from(i % 200 + 3)).collect();
    let cases: [(Vec<f64>, usize); 7] = [
        (vec![], 1),
        (vec![0.5], 3),
        // Table, its length, its width and the one float; a byte a place.
        (vec![third; 10], 3 + 8 + 10),
        (vec![0.5, third], 17),
        // They rise: a unit, a length, and half an exact third of seven bytes.
        (vec![third, 0.5], 11),
        // Short floats do not pay a table.
        (vec![0.5, 0.25, 0.5, 0.25], 9),
        // Places from 128 on take two bytes.
        (many, 4 + 200 * 8 + 1000 + 72 * 5),
    ];
    for (floats, expected) in cases {
        let (n, last) = (floats.len(), floats.last().copied());
        assert_eq!(cost(TensorData::F64(floats)), expected, "{n} floats, the last {last:?}");
    }
    assert_eq!(cost(TensorData::F32(vec![0.1; 10])), 3 + 4 + 10);
}

/// Any section cut anywhere, or with any byte replaced by any other: refused or well formed.
#[test]
fn every_byte_of_every_section() {
    let texts = ["cat", "cats", "cé"].map(String::from);
    let weights = Tensor::vector(TensorData::F64(vec![0.1, 0.7, 0.1, 0.1, 0.7]));
    let all = sections(&file::write(&model(&[strings(&texts), weights])));
    let mut n_refused = 0;
    for i in 0..all.len() {
        for at in 0..all[i].1.len() {
            let mut cut = all.clone();
            cut[i].1.truncate(at);
            n_refused += usize::from(file::read(&seal(&cut)).is_err());
            for flip in 1..=255 {
                let mut other = all.clone();
                other[i].1[at] ^= flip;
                match file::read(&seal(&other)) {
                    Ok(model) => assert_eq!(file::read(&file::write(&model)).unwrap(), model),
                    Err(_) => n_refused += 1,
                }
            }
        }
    }
    assert!(n_refused > 5000, "{n_refused}");
}

#[test]
fn constants_of_every_dtype() {
    let nan = f64::from_bits(0x7ff8_0000_dead_beef);
    let text = |v: &[&str]| TensorData::Str(v.iter().map(ToString::to_string).collect());
    let data = vec![
        TensorData::Bool(vec![true, false, true]),
        TensorData::U8(vec![0, 255, 7]),
        TensorData::I16(vec![i16::MIN, i16::MAX, 0]),
        TensorData::I32(vec![i32::MIN, i32::MAX, -1]),
        TensorData::I64(vec![i64::MIN, i64::MAX, i64::MIN]),
        TensorData::F32(vec![f32::NEG_INFINITY, -0.0, f32::from_bits(1)]),
        TensorData::F32(vec![1.0, 2.0]),
        TensorData::F64(vec![f64::INFINITY, -0.0, f64::from_bits(1), 0.1]),
        TensorData::F64(vec![0.0, 0.5]),
        text(&["", "ö", "a\0b"]),
        TensorData::I8(vec![i8::MIN, i8::MAX, 0]),
        TensorData::U16(vec![0, u16::MAX, 7]),
        TensorData::U32(vec![0, u32::MAX, 7]),
        TensorData::U64(vec![0, u64::MAX, 1 << 63]),
        TensorData::Half(Half::F16, vec![0, 0x3c00, 0xfbff]),
        TensorData::Half(Half::BF16, vec![0x3f80, 0x7f80]),
        TensorData::Narrow(Narrow::E4M3FN, vec![0, 0x7e, 0xff]),
        TensorData::Narrow(Narrow::E4M3FNUZ, vec![0x80]),
        TensorData::Narrow(Narrow::E5M2, vec![0x7b]),
        TensorData::Narrow(Narrow::E5M2FNUZ, vec![1, 2]),
        TensorData::Narrow(Narrow::E8M0, vec![127, 255]),
        TensorData::Narrow(Narrow::E2M1, vec![15, 0]),
        TensorData::Narrow(Narrow::U4, vec![15, 0]),
        TensorData::Narrow(Narrow::I4, vec![0xf8, 7]),
        TensorData::Narrow(Narrow::U2, vec![3]),
        TensorData::Narrow(Narrow::I2, vec![0xfe, 1]),
    ];
    let mut tensors: Vec<Tensor> = data.into_iter().map(Tensor::vector).collect();
    // Bags are no constants.
    let has_case = |d: &DType| *d == DType::Bag || tensors.iter().any(|t| t.dtype() == *d);
    assert!(DType::ALL.iter().all(has_case), "a dtype has no case");
    for dims in [vec![], vec![1, 1, 1], vec![3, 0], vec![0, 1 << 40], vec![100_000, 0]] {
        let n = dims.iter().product();
        tensors.push(Tensor::try_new(dims, TensorData::I32(vec![5; n])).unwrap());
    }
    let written = file::write(&model(&tensors));
    let back = file::read(&written).unwrap();
    assert_eq!(back, model(&tensors));
    assert_eq!(file::write(&back), written);
    // NaN keeps its bits, which `==` cannot tell, and -0 its sign.
    let odd = Tensor::vector(TensorData::F64(vec![nan, -0.0]));
    let back = file::read(&file::write(&model(&[odd]))).unwrap();
    let last = back.graph().values().len() as u32 - 1;
    match back.graph().constant(smidgen_ir::ValueIdx(last)).map(Tensor::data) {
        Some(TensorData::F64(v)) => assert_eq!([v[0].to_bits(), v[1].to_bits()], [nan.to_bits(), 1 << 63]),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_card_takes_at_most_a_kilobyte() {
    let mut long = model(&[]);
    long.card = Card {
        data_fingerprint: u64::MAX,
        n_rows: u64::MAX,
        seed: u64::MAX,
        work: u64::MAX,
        recipe: "é".repeat(5000),
        metrics: vec![("xé".repeat(400), f64::MAX); 30],
    };
    let short = file::write(&model(&[])).len();
    let written = file::write(&long);
    assert!(written.len() <= short + 1000, "{} beside {short}", written.len());
    let card = file::read(&written).unwrap().card;
    assert_eq!((card.recipe.len(), card.metrics.len(), card.metrics[7].0.len()), (512, 8, 48));
    assert_eq!(card.metrics[0].1, f64::MAX);
}
