//! Random columns: NaN with and without validity bits, values at edges and a step beside them,
//! infinities, both zeros, extremes, unseen and empty strings, slices with bit offsets.

use ir::digest::SplitMix64;
use ir::{Bits, Column, ColumnData, DType, Graph, Op, Tensor, TensorData, ValueIdx};

pub const TRAITS: &[&str] = &[
    "no bitmap",
    "a bitmap with an offset",
    "a missing row",
    "NaN in a valid row",
    "-0",
    "infinite",
    "at an edge",
    "i64 extreme",
    "empty text",
    "known key",
    "unseen key",
    "readable time",
];

pub struct OwnedColumn {
    values: Values,
    validity: Option<Vec<u8>>,
    bit_offset: usize,
    n_rows: usize,
    traits: Vec<&'static str>,
}

enum Values {
    I64(Vec<i64>),
    F64(Vec<f64>),
    Str { offsets: Vec<i32>, bytes: Vec<u8> },
}

impl OwnedColumn {
    pub fn random(random: &mut SplitMix64, graph: &Graph, input: ValueIdx, n_rows: usize) -> OwnedColumn {
        let user = graph.nodes().iter().find(|n| n.inputs.first() == Some(&input));
        let beside = user.and_then(|n| graph.constant(*n.inputs.get(1)?)).map(Tensor::data);
        let time = user.and_then(|n| if let Op::TimePart(part) = n.op { part.format } else { None });
        let mut traits = Vec::new();
        let bit_offset = random.below(20) as usize;
        let validity = (random.below(3) > 0).then(|| {
            let all = random.below(8) == 0;
            let word = |r: &mut SplitMix64| (r.next_word() | r.next_word()) as u8;
            (0..(bit_offset + n_rows).div_ceil(8)).map(|_| if all { 0 } else { word(random) }).collect()
        });
        let values = match graph.value(input).dtype {
            DType::I64 => {
                let edges: &[i64] = if let Some(TensorData::I64(v)) = beside { v } else { &[] };
                Values::I64((0..n_rows).map(|_| whole(random, edges)).collect())
            }
            DType::F64 => {
                let edges: &[f64] = if let Some(TensorData::F64(v)) = beside { v } else { &[] };
                Values::F64((0..n_rows).map(|_| real(random, edges)).collect())
            }
            _ => {
                let keys: &[String] = if let Some(TensorData::Str(v)) = beside { v } else { &[] };
                // Text before the first offset belongs to no row.
                let mut bytes = vec![0xff; random.below(3) as usize];
                let mut offsets = vec![bytes.len() as i32];
                for _ in 0..n_rows {
                    let cell = match time {
                        Some(format) if random.below(8) > 0 => {
                            traits.push("readable time");
                            // Blanks around a time do not count.
                            format!(" {}", format.write(random.next_word().cast_signed() >> 11))
                        }
                        _ => text(random, keys, &mut traits),
                    };
                    bytes.extend_from_slice(cell.as_bytes());
                    offsets.push(bytes.len() as i32);
                }
                Values::Str { offsets, bytes }
            }
        };
        match (&values, beside) {
            (Values::I64(v), Some(TensorData::I64(edges))) => {
                let at_edge = v.iter().any(|x| edges.contains(x));
                traits.extend(at_edge.then_some("at an edge"));
                traits.extend((v.contains(&i64::MIN) && v.contains(&i64::MAX)).then_some("i64 extreme"));
            }
            (Values::F64(v), Some(TensorData::F64(edges))) => {
                traits.extend(v.iter().any(|x| edges.contains(x)).then_some("at an edge"));
                traits.extend(v.iter().any(|x| *x == 0.0 && x.is_sign_negative()).then_some("-0"));
                traits.extend(v.iter().any(|x| x.is_infinite()).then_some("infinite"));
                let nan = validity.is_none() && v.iter().any(|x| x.is_nan());
                traits.extend(nan.then_some("NaN in a valid row"));
            }
            _ => {}
        }
        match validity {
            None => traits.push("no bitmap"),
            Some(_) if !bit_offset.is_multiple_of(8) => traits.push("a bitmap with an offset"),
            Some(_) => {}
        }
        let mut column = OwnedColumn { values, validity, bit_offset, n_rows, traits };
        let missing = (0..n_rows).any(|row| !column.column().is_valid(row));
        column.traits.extend(missing.then_some("a missing row"));
        column
    }

    pub fn column(&self) -> Column<'_> {
        let data = match &self.values {
            Values::I64(v) => ColumnData::I64(v),
            Values::F64(v) => ColumnData::F64(v),
            Values::Str { offsets, bytes } => ColumnData::Str { offsets, bytes },
        };
        let bits = self.validity.as_ref().map(|b| Bits::try_new(b, self.bit_offset, self.n_rows).unwrap());
        Column::try_new(data, bits).unwrap()
    }

    pub fn traits(&self) -> Vec<&'static str> {
        self.traits.clone()
    }
}

fn pick<T: Clone>(random: &mut SplitMix64, from: &[T]) -> Option<T> {
    from.get(random.below(from.len() as u32) as usize).cloned()
}

fn whole(random: &mut SplitMix64, edges: &[i64]) -> i64 {
    match (random.below(12), pick(random, edges)) {
        (0, _) => i64::MIN,
        (1, _) => i64::MAX,
        (2, _) => random.next_word().cast_signed(),
        (3, _) | (_, None) => i64::from(random.below(7)) - 3,
        (_, Some(edge)) => edge.saturating_add(i64::from(random.below(3)) - 1),
    }
}

fn real(random: &mut SplitMix64, edges: &[f64]) -> f64 {
    let step = |x: f64, r: &mut SplitMix64| match r.below(3) {
        0 => x.next_down(),
        1 => x,
        _ => x.next_up(),
    };
    match (random.below(16), pick(random, edges)) {
        (0, _) => f64::INFINITY,
        (1, _) => f64::NEG_INFINITY,
        (2, _) => -0.0,
        (3, _) => 0.0,
        (4, _) => f64::NAN,
        // Any bits: NaN of both signs and subnormals among them.
        (5, _) => f64::from_bits(random.next_word()),
        (6, _) => f64::from_bits(random.next_word() >> 12),
        (7, _) => f64::MAX,
        (8, _) | (_, None) => f64::from(random.below(100)) - 50.0,
        (_, Some(edge)) => step(edge, random),
    }
}

fn text(random: &mut SplitMix64, keys: &[String], traits: &mut Vec<&'static str>) -> String {
    match (random.below(8), pick(random, keys)) {
        (0, _) => {
            traits.push("empty text");
            String::new()
        }
        (1, _) | (_, None) => {
            traits.push("unseen key");
            format!("unseen é {}", random.below(5))
        }
        // A key with a blank is another key: the runtime does not trim.
        (2, Some(key)) => key + " ",
        (_, Some(key)) => {
            traits.push("known key");
            key
        }
    }
}
