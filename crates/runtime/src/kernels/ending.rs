//! What becomes of a sum: bias, requantization, clamp, and what follows it in the graph, in one pass.
//!
//! The plain code is written so that compilers turn it into vectors: `(acc m + 2^(s - 1)) >> s` is computed without
//! signs, `(acc m + 2^(s - 1) + 2^63) >> s` less `2^63 >> s`, in 64 bits; since `acc` is clamped first to where the code
//! can still change, the low 32 bits are the result.

use super::LANES;
use super::cells::{Cell, Width};
use alloc::vec::Vec;
use ir::fixed::Requantize;
use ir::op::tensor::SumFactors;

/// Zero point and clamps of stored codes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Codes {
    pub(crate) width: Width,
    pub(crate) zero: i64,
    pub(crate) low: i64,
    pub(crate) high: i64,
}

impl Codes {
    /// The stored code of a requantized number.
    #[inline(always)]
    pub(crate) fn of(self, value: i64) -> i32 {
        (value + self.zero).clamp(self.low, self.high) as i32
    }
}

/// Constants of the outputs of a panel.
#[derive(Clone, Debug)]
struct Lanes {
    bias: [i32; LANES],
    /// Below and above these the code does not change any more.
    least: [i32; LANES],
    most: [i32; LANES],
    multiplier: [i32; LANES],
    /// `2^(s - 1) + 2^63`
    half: [u64; LANES],
    shift: [u64; LANES],
    /// The zero point less `2^63 >> s`, in 32 bits that wrap.
    offset: [i32; LANES],
}

/// What follows a product in the graph and is computed with it.
#[derive(Clone, Debug)]
pub(crate) enum Tail {
    /// Nothing.
    None,
    /// Nothing, and what is written are numbers of 32 bits, not codes: those of a fine grid.
    Long,
    /// Another code for each.
    Table {
        /// By stored code.
        codes: Vec<i16>,
        /// Their width.
        width: Width,
    },
    /// A sum with other codes, at the same places.
    Add(AddTail),
}

/// A sum with other codes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AddTail {
    /// Of the product's code and of the other one.
    pub(crate) factors: SumFactors,
    /// Zero point of the product's codes.
    pub(crate) zero: i64,
    /// Zero point of the others.
    pub(crate) other_zero: i64,
    /// Width of the others.
    pub(crate) other: Width,
    /// Of the sum.
    pub(crate) codes: Codes,
}

/// What becomes of all sums of a product.
#[derive(Clone, Debug)]
pub(crate) struct Ending {
    lanes: Vec<Lanes>,
    /// Bias and pair of each output, for sums of 64 bits.
    wide: Vec<(i64, Requantize)>,
    codes: Codes,
    tail: Tail,
}

/// Bytes that an ending writes to, and those that it adds.
pub(crate) struct Sink<'a> {
    /// All codes of the output.
    pub(crate) out: &'a mut [u8],
    /// Codes at the same places that are added; empty where there are none.
    pub(crate) others: &'a [u8],
    /// The place of the first output of the first row.
    pub(crate) first: usize,
    /// Codes from row to row.
    pub(crate) stride: usize,
    /// Outputs of a row.
    pub(crate) n_outputs: usize,
    /// Panels before the first of these outputs.
    pub(crate) first_panel: usize,
}

impl Ending {
    /// `outputs`: bias and pair of each, group by group of `per_group`; each group begins with a new panel.
    pub(crate) fn new(outputs: &[(i64, Requantize)], per_group: usize, codes: Codes, tail: Tail) -> Ending {
        let groups = outputs.chunks(per_group.max(1));
        let lanes =
            groups.flat_map(|group| group.chunks(LANES)).map(|some| Lanes::new(some, codes)).collect();
        Ending { lanes, wide: outputs.to_vec(), codes, tail }
    }

    /// What follows the product.
    pub(crate) fn tail_name(&self) -> Option<&'static str> {
        match self.tail {
            Tail::None => None,
            Tail::Long => Some("32 bits"),
            Tail::Table { .. } => Some("table"),
            Tail::Add(_) => Some("sum"),
        }
    }

    /// Writes the codes of a panel's sums of 32 bits.
    #[inline(always)]
    pub(crate) fn row(&self, sink: &mut Sink<'_>, row: usize, panel: usize, sums: &[i32; LANES]) {
        let Some(lanes) = self.lanes.get(sink.first_panel + panel) else { return };
        if matches!(self.tail, Tail::Long) {
            // The clamp below keeps codes alone within 32 bits.
            let pairs =
                self.wide.iter().skip(self.output(sink.first_panel * LANES + panel * LANES, sink.n_outputs));
            let sums = sums.iter().zip(lanes.bias).map(|(&sum, bias)| i64::from(sum.wrapping_add(bias)));
            let mut made = [0i32; LANES];
            for (made, (sum, (_, pair))) in made.iter_mut().zip(sums.zip(pairs)) {
                *made = self.codes.of(pair.apply(sum));
            }
            return self.write(sink, row, panel, &made);
        }
        let (low, high) = (self.codes.low as i32, self.codes.high as i32);
        let mut codes = [0i32; LANES];
        for i in 0..LANES {
            let acc = sums[i].wrapping_add(lanes.bias[i]).max(lanes.least[i]).min(lanes.most[i]);
            let product = i64::from(acc) * i64::from(lanes.multiplier[i]);
            let scaled = product.cast_unsigned().wrapping_add(lanes.half[i]) >> lanes.shift[i];
            codes[i] = (scaled as i32).wrapping_add(lanes.offset[i]).max(low).min(high);
        }
        self.write(sink, row, panel, &codes);
    }

    /// Writes the codes of a panel's sums of 64 bits.
    pub(crate) fn wide_row(&self, sink: &mut Sink<'_>, row: usize, panel: usize, sums: &[i64; LANES]) {
        let first = sink.first_panel * LANES + panel * LANES;
        let mut codes = [0i32; LANES];
        for (i, code) in codes.iter_mut().enumerate() {
            if let Some((bias, pair)) = self.wide.get(self.output(first + i, sink.n_outputs)) {
                *code = self.codes.of(pair.apply(sums[i] + bias));
            }
        }
        self.write(sink, row, panel, &codes);
    }

    /// The output of a lane, groups of `per_group` outputs beginning with a new panel each.
    fn output(&self, lane: usize, per_group: usize) -> usize {
        let padded = per_group.div_ceil(LANES).max(1) * LANES;
        lane / padded * per_group + lane % padded
    }

    #[inline(always)]
    fn write(&self, sink: &mut Sink<'_>, row: usize, panel: usize, codes: &[i32; LANES]) {
        let at = sink.first + row * sink.stride + panel * LANES;
        let n = sink.n_outputs.saturating_sub(panel * LANES).min(LANES);
        match &self.tail {
            Tail::None => store(self.codes.width, sink.out, at, n, codes),
            Tail::Long => {
                let places = sink.out[4 * at..4 * (at + n)].chunks_exact_mut(4);
                places.zip(codes).for_each(|(out, code)| out.copy_from_slice(&code.to_ne_bytes()));
            }
            Tail::Table { codes: table, width } => {
                let found = codes.map(|code| table.get(code as usize).copied().unwrap_or(0).into());
                store(*width, sink.out, at, n, &found);
            }
            Tail::Add(add) => {
                let others = load(add.other, sink.others, at, n);
                let mut sums = [0i32; LANES];
                for i in 0..LANES {
                    let (a, b) = (i64::from(codes[i]) - add.zero, i64::from(others[i]) - add.other_zero);
                    sums[i] = add.codes.of(add.factors.apply(a, b));
                }
                store(add.codes.width, sink.out, at, n, &sums);
            }
        }
    }
}

#[inline(always)]
fn load(width: Width, bytes: &[u8], at: usize, n: usize) -> [i32; LANES] {
    let mut codes = [0i32; LANES];
    match (width, n) {
        (Width::Byte, LANES) => {
            codes.iter_mut().zip(&bytes[at..at + LANES]).for_each(|(code, &byte)| *code = byte.into());
        }
        (Width::Byte, _) => (0..n).for_each(|i| codes[i] = u8::get(bytes, at + i).into()),
        (Width::Word, _) => (0..n).for_each(|i| codes[i] = i16::get(bytes, at + i).into()),
    }
    codes
}

#[inline(always)]
fn store(width: Width, bytes: &mut [u8], at: usize, n: usize, codes: &[i32; LANES]) {
    match (width, n) {
        (Width::Byte, LANES) => {
            bytes[at..at + LANES].iter_mut().zip(codes).for_each(|(byte, &code)| *byte = code as u8);
        }
        (Width::Byte, _) => (0..n).for_each(|i| u8::put(bytes, at + i, codes[i])),
        (Width::Word, _) => (0..n).for_each(|i| i16::put(bytes, at + i, codes[i])),
    }
}

impl Lanes {
    fn new(outputs: &[(i64, Requantize)], codes: Codes) -> Lanes {
        let mut lanes = Lanes {
            bias: [0; LANES],
            least: [0; LANES],
            most: [0; LANES],
            multiplier: [0; LANES],
            half: [1 << 63; LANES],
            shift: [1; LANES],
            offset: [0; LANES],
        };
        for (i, &(bias, pair)) in outputs.iter().enumerate().take(LANES) {
            // What a proven sum needs of a bias are its low 32 bits.
            lanes.bias[i] = bias as i32;
            (lanes.least[i], lanes.most[i]) = ends(pair, codes.low - codes.zero, codes.high - codes.zero);
            lanes.multiplier[i] = pair.multiplier() as i32;
            let shift = pair.shift().unsigned_abs();
            lanes.half[i] = (1 << 63) + (1 << (shift - 1));
            lanes.shift[i] = shift;
            lanes.offset[i] = codes.zero.wrapping_sub((1u64 << 63 >> shift).cast_signed()) as i32;
        }
        lanes
    }
}

/// The largest sum whose code is no more than `low`, and the least whose code is no less than `high`; the ends of 32
/// bits where there is none. Codes between follow each other by at most 2^30, so that of a clamped sum fits 32 bits.
fn ends(pair: Requantize, low: i64, high: i64) -> (i32, i32) {
    let (mut least, mut above) = (i64::from(i32::MIN), i64::from(i32::MAX));
    while least + 1 < above {
        let middle = (least + above).div_euclid(2);
        if pair.apply(middle) <= low { least = middle } else { above = middle }
    }
    let (mut below, mut most) = (i64::from(i32::MIN), i64::from(i32::MAX));
    while below + 1 < most {
        let middle = (below + most).div_euclid(2);
        if pair.apply(middle) >= high { most = middle } else { below = middle }
    }
    (least as i32, most as i32)
}
