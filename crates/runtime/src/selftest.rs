//! Rows that a seed regenerates, and the digest of what a model makes of them.
//!
//! The rows are drawn where a model can go wrong: at its own edges and one step beside them, where the
//! integers made of a number change and end, at its own categories, at unseen ones, infinities, extremes and
//! missing cells. Integers and single operations of IEEE 754 only, so that any runtime regenerates the same
//! rows.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use ir::digest::{Digest, SplitMix64};
use ir::fixed::{from_key_f64, key_f64};
use ir::self_test::{Source, sources};
use ir::{Bits, Column, ColumnData, DType, Error, Graph, SelfTest, Tensor, TensorData};

/// Rows of a self-test.
pub const SELF_TEST_ROWS: u32 = 256;

/// Bytes of text in the rows of a self-test; a hostile file must not ask for more by a long key.
const MAX_TEXT: usize = 1 << 24;

/// Bytes of a text that is read as such: the bags of a hostile file must not take much memory.
const MAX_SENTENCE: usize = 256;

/// Most words of a text that is read as such.
const MAX_WORDS: u32 = 16;

/// A regenerated column, which owns its values.
pub struct OwnedColumn {
    values: TensorData,
    offsets: Vec<i32>,
    bytes: Vec<u8>,
    validity: Vec<u8>,
}

impl OwnedColumn {
    /// The column as a graph takes it; none for one that was not made here.
    pub fn column(&self) -> Option<Column<'_>> {
        let (data, n_rows) = match &self.values {
            TensorData::I64(v) => (ColumnData::I64(v), v.len()),
            TensorData::F64(v) => (ColumnData::F64(v), v.len()),
            _ => {
                let data = ColumnData::Str { offsets: &self.offsets, bytes: &self.bytes };
                (data, self.offsets.len() - 1)
            }
        };
        Column::try_new(data, Some(Bits::try_new(&self.validity, 0, n_rows)?))
    }
}

/// Rows to time a model on: those of a seed, [`SELF_TEST_ROWS`] of them, a column an input of the graph.
///
/// # Errors
/// As [`self_test`].
pub fn self_test_columns(graph: &Graph, seed: u64) -> Result<Vec<OwnedColumn>, Error> {
    rows(graph, seed, SELF_TEST_ROWS, &[])
}

/// The rows of a seed for the inputs of a graph. Where `integers` has the ends of integers for a column of numbers, its
/// cells are drawn as integers and cut off there.
///
/// Column `i` is drawn from `SplitMix64(seed + i)`. Each row draws a number in `0..16`: 0 is missing;
/// 1 and 2 are the two extremes; 3 is a random word; the others are one of the column's constants
/// (edges, keys, and for numbers [`numbers_near`]), for numbers moved by -1, 0 or 1 step. One random word in
/// eight is NaN in a column of doubles. A column that is read as text holds sentences
/// ([`sentence`]) instead of random words and keys. A text is empty where all texts together would take
/// more than [`MAX_TEXT`] bytes.
///
/// # Errors
/// `Unknown` for an input of a dtype that has no generator.
pub(crate) fn rows(
    graph: &Graph,
    seed: u64,
    n_rows: u32,
    integers: &[Option<(i64, i64)>],
) -> Result<Vec<OwnedColumn>, Error> {
    let mut columns = Vec::with_capacity(graph.inputs().len());
    let mut text_left = MAX_TEXT;
    for (i, source) in sources(graph)?.into_iter().enumerate() {
        let mut random = SplitMix64::new(seed.wrapping_add(i as u64));
        let n = n_rows as usize;
        let mut column = OwnedColumn {
            values: TensorData::U8(Vec::new()),
            offsets: vec![0],
            bytes: Vec::new(),
            validity: vec![0; n.div_ceil(8)],
        };
        let range = integers.get(i).copied().flatten();
        match source.whole(range.is_some()) {
            Source::Whole { numbers, is_time } => {
                let mut values = vec![0i64; n];
                for (row, value) in values.iter_mut().enumerate() {
                    let drawn = number(&mut random, numbers.len() as u32);
                    set_valid(&mut column.validity, row, drawn != Drawn::Missing);
                    *value = match drawn {
                        Drawn::Missing => 0,
                        Drawn::Low => i64::MIN,
                        Drawn::High => i64::MAX,
                        // A point in time within 142 years of 1970.
                        Drawn::Word(word) if is_time => word.cast_signed() >> 11,
                        Drawn::Word(word) => word.cast_signed(),
                        Drawn::Constant(at, step) => numbers[at as usize].saturating_add(step),
                    };
                    if let Some((low, high)) = range {
                        *value = (*value).clamp(low, high);
                    }
                }
                let is_real =
                    graph.inputs().get(i).is_some_and(|&input| graph.value(input).dtype == DType::F64);
                column.values = match is_real {
                    true => TensorData::F64(values.iter().map(|&x| x as f64).collect()),
                    false => TensorData::I64(values),
                };
            }
            Source::Real(numbers) => {
                let limit = key_f64(f64::INFINITY);
                let mut values = vec![0f64; n];
                for (row, value) in values.iter_mut().enumerate() {
                    let drawn = number(&mut random, numbers.len() as u32);
                    set_valid(&mut column.validity, row, drawn != Drawn::Missing);
                    *value = match drawn {
                        Drawn::Missing => 0.0,
                        Drawn::Low => f64::NEG_INFINITY,
                        Drawn::High => f64::INFINITY,
                        // Missing as well.
                        Drawn::Word(word) if word % 8 == 0 => f64::NAN,
                        Drawn::Word(word) => f64::from_bits(word),
                        Drawn::Constant(at, step) => {
                            let key = key_f64(numbers[at as usize]).saturating_add(step);
                            from_key_f64(key.clamp(-limit - 1, limit))
                        }
                    };
                }
                column.values = TensorData::F64(values);
            }
            Source::Text { keys, terms, time, is_shared } => {
                for row in 0..n {
                    let drawn = number(&mut random, keys.len() as u32);
                    set_valid(&mut column.validity, row, drawn != Drawn::Missing);
                    let text = match (drawn, terms) {
                        (Drawn::Word(_) | Drawn::Constant(..), Some(terms)) => sentence(&mut random, terms),
                        (drawn, _) => match drawn {
                            Drawn::Missing | Drawn::Low => String::new(),
                            Drawn::High => "\u{10ffff}".into(),
                            Drawn::Word(word) => match time.and_then(|t| t.format) {
                                Some(format) => format.write(word.cast_signed() >> 11),
                                // Keys that rows share, so that they have a past and related rows.
                                None if is_shared => alloc::format!("{:x}", word % 16),
                                None => alloc::format!("{word:x}"),
                            },
                            Drawn::Constant(at, _) => keys[at as usize].clone(),
                        },
                    };
                    if text.len() <= text_left {
                        text_left -= text.len();
                        column.bytes.extend_from_slice(text.as_bytes());
                    }
                    column.offsets.push(i32::try_from(column.bytes.len()).unwrap_or(i32::MAX));
                }
            }
        }
        columns.push(column);
    }
    Ok(columns)
}

#[derive(PartialEq)]
enum Drawn {
    Missing,
    Low,
    High,
    Word(u64),
    Constant(u32, i64),
}

fn number(random: &mut SplitMix64, n_constants: u32) -> Drawn {
    match random.below(16) {
        0 => Drawn::Missing,
        1 => Drawn::Low,
        2 => Drawn::High,
        3 => Drawn::Word(random.next_word()),
        _ if n_constants == 0 => Drawn::Word(random.next_word()),
        _ => {
            let at = random.below(n_constants);
            Drawn::Constant(at, i64::from(random.below(3)) - 1)
        }
    }
}

fn set_valid(validity: &mut [u8], row: usize, valid: bool) {
    validity[row >> 3] |= u8::from(valid) << (row & 7);
}

/// A text of terms of a vocabulary and of other words, with capitals, digits and punctuation, at most
/// [`MAX_SENTENCE`] bytes.
///
/// Draws `1..=MAX_WORDS` words. Each draws a number in `0..4`: from 1 on it is a term, drawn among all, as
/// far as there are any, else two or three syllables; a number in `0..8`: 0 puts it into capitals; and what
/// follows it.
fn sentence(random: &mut SplitMix64, terms: &[String]) -> String {
    const SYLLABLES: [&str; 8] = ["ba", "to", "N", "é", "re", "7", "Shi", "\u{2019}"];
    const BETWEEN: [&str; 8] = [" ", " ", " ", "  ", ", ", "! ", "-", ""];
    let mut text = String::new();
    for _ in 0..=random.below(MAX_WORDS) {
        let mut word = String::new();
        if random.below(4) > 0 && !terms.is_empty() {
            let n = u32::try_from(terms.len()).unwrap_or(u32::MAX);
            word.push_str(&terms[random.below(n) as usize]);
        } else {
            for _ in 0..2 + random.below(2) {
                word.push_str(SYLLABLES[random.below(8) as usize]);
            }
        }
        if random.below(8) == 0 {
            word.make_ascii_uppercase();
        }
        let between = BETWEEN[random.below(8) as usize];
        if text.len() + word.len() + between.len() <= MAX_SENTENCE {
            text.push_str(&word);
            text.push_str(between);
        }
    }
    text
}

/// Digest of outputs: every element as a 64-bit word (floats by their bits), in order.
pub(crate) fn digest(outputs: &[Tensor]) -> u64 {
    let mut digest = Digest::new();
    for output in outputs {
        match output.data() {
            TensorData::I32(v) => v.iter().for_each(|&x| digest.word(i64::from(x).cast_unsigned())),
            TensorData::I64(v) => v.iter().for_each(|&x| digest.word(x.cast_unsigned())),
            TensorData::F32(v) => v.iter().for_each(|&x| digest.word(x.to_bits().into())),
            TensorData::F64(v) => v.iter().for_each(|&x| digest.word(x.to_bits())),
            TensorData::Bag(v) => {
                v.offsets.iter().for_each(|&x| digest.word(x as u64));
                v.ids.iter().for_each(|&x| digest.word(x.into()));
                v.weights.iter().for_each(|&x| digest.word(x.to_bits()));
            }
            TensorData::U8(v) => v.iter().for_each(|&x| digest.word(x.into())),
            TensorData::I16(v) => v.iter().for_each(|&x| digest.word(i64::from(x).cast_unsigned())),
            TensorData::Bool(v) => v.iter().for_each(|&x| digest.word(x.into())),
            TensorData::I8(v) => v.iter().for_each(|&x| digest.word(i64::from(x).cast_unsigned())),
            TensorData::U16(v) | TensorData::Half(_, v) => v.iter().for_each(|&x| digest.word(x.into())),
            TensorData::U32(v) => v.iter().for_each(|&x| digest.word(x.into())),
            TensorData::U64(v) => v.iter().for_each(|&x| digest.word(x)),
            TensorData::Narrow(_, v) => v.iter().for_each(|&x| digest.word(x.into())),
            TensorData::Str(v) => v.iter().for_each(|x| digest.bytes(x.as_bytes())),
        }
    }
    digest.finish()
}

/// The self-test of a graph: what the reference interpreter makes of the rows of `seed`.
///
/// # Errors
/// An input that has no generator, or a graph that does not run.
pub fn self_test(graph: &Graph, seed: u64) -> Result<SelfTest, crate::verify::Failure> {
    self_test_of_integers(graph, seed, &[])
}

/// The same for columns that are given in few integers: `integers` has by column their smallest and their largest.
///
/// # Errors
/// As [`self_test`].
pub fn self_test_of_integers(
    graph: &Graph,
    seed: u64,
    integers: &[Option<(i64, i64)>],
) -> Result<SelfTest, crate::verify::Failure> {
    let n_rows = SELF_TEST_ROWS;
    let owned = rows(graph, seed, n_rows, integers)?;
    let columns: Vec<Column<'_>> = owned.iter().filter_map(OwnedColumn::column).collect();
    let outputs = crate::reference::run(graph, &columns)?;
    Ok(SelfTest { seed, n_rows, digest: digest(&outputs) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ir::forest::CodedFeature;
    use ir::op::{Arithmetic, Cast, Codes, Columns, ForestOp, NearestRows, QuantizeLinear};
    use ir::{Forest, GraphBuilder, Op, Shape, ValueIdx};

    /// A key of a megabyte, shared by many columns, must not be repeated until the memory is full.
    #[test]
    fn long_keys_keep_the_rows_small() {
        let mut b = GraphBuilder::new();
        let inputs: Vec<ValueIdx> =
            (0..40).map(|i| b.input(&alloc::format!("c{i}"), DType::Str, Shape::rows()).unwrap()).collect();
        let key = "x".repeat(1 << 20);
        let keys = b.constant(Tensor::vector(TensorData::Str(vec![key]))).unwrap();
        let codes: Vec<ValueIdx> =
            inputs.iter().map(|&i| b.node(Op::Codes(Codes { unseen: 255 }), &[i, keys]).unwrap()).collect();
        let features = vec![CodedFeature { n_codes: 1, ordered: false }; 40];
        let forest = Forest::try_new(features, vec![0], vec![]).unwrap().into();
        let score = b.node(Op::Forest(ForestOp { forest }), &codes).unwrap();
        let graph = b.finish(&[score]).unwrap();
        let columns = rows(&graph, 1, SELF_TEST_ROWS, &[]).unwrap();
        let n_bytes: usize = columns.iter().map(|c| c.bytes.len()).sum();
        assert!((MAX_TEXT / 2..=MAX_TEXT).contains(&n_bytes), "{n_bytes}");
        assert!(columns.iter().all(|c| c.column().unwrap().n_rows() == 256));
    }

    /// Integers change between the rows, reach both ends and the rows that they are compared with.
    #[test]
    fn rows_of_integers_reach_their_ends() {
        let mut b = GraphBuilder::new();
        let inputs = [DType::I64, DType::F64];
        let inputs = inputs.map(|dtype| b.input(dtype.name(), dtype, Shape::rows()).unwrap());
        let cells = inputs.map(|input| b.node(Op::Cast(Cast), &[input]).unwrap());
        let rows_of = b.node(Op::Columns(Columns), &cells).unwrap();
        let mut vector = |v: [f64; 2]| b.constant(Tensor::vector(TensorData::F64(v.to_vec()))).unwrap();
        let (centers, scales) = (vector([1e6, -0.25]), vector([4.0, 0.125]));
        let mut matrix = |k, data| b.constant(Tensor::try_new(vec![2, k], data).unwrap()).unwrap();
        let known = matrix(2, TensorData::I16(vec![77, -33, -5, 100]));
        let votes = matrix(1, TensorData::I32(vec![1, 2]));
        let away = b.node(Op::Arithmetic(Arithmetic::Sub), &[rows_of, centers]).unwrap();
        let op = QuantizeLinear { bits: 8 };
        let x = b.node(Op::QuantizeLinear(op), &[away, scales]).unwrap();
        let nearest = NearestRows { k: 1, by_distance: false };
        let score = b.node(Op::NearestRows(nearest), &[x, known, votes]).unwrap();
        let graph = b.finish(&[score]).unwrap();
        let columns = rows(&graph, 1, SELF_TEST_ROWS, &[]).unwrap();
        for (at, column) in columns.iter().enumerate() {
            let (column, mut seen) = (column.column().unwrap(), Vec::new());
            for row in 0..column.n_rows() {
                let (center, scale) = ([1e6, -0.25][at], [4.0, 0.125][at]);
                seen.push(i32::from(op.of(column.double(row) - center, scale)));
            }
            for expected in [-127, -126, -1, 0, 1, 126, 127, [77, -33][at], [-5, 100][at]] {
                assert!(seen.contains(&expected), "column {at} never gives {expected}");
            }
        }
        let ColumnData::F64(values) = columns[1].column().unwrap().data() else { panic!("doubles") };
        let valid = |row: &usize| columns[1].column().unwrap().is_valid(*row);
        assert!((0..values.len()).filter(valid).any(|row| values[row].is_nan()));
    }
}
