//! Where tensors become bytes of a plan, floats become codes, and back.

use super::rooms::Slot;
use super::step::Run;
use crate::kernels::Plain;
use crate::kernels::cells::{Cell, Width, of_width, shift_of};
use crate::kernels::ending::Codes;
use alloc::vec;
use alloc::vec::Vec;
use core::marker::PhantomData;
use ir::{DType, TensorData};

/// Writes elements as a plan holds them: codes by [`shift_of`], all others as they are. False for text and bags, and
/// for another number of bytes.
pub(super) fn put(data: &TensorData, out: &mut [u8]) -> bool {
    macro_rules! all {
        ($v:expr, $t:ident) => {{
            let places = out.chunks_exact_mut(size_of::<$t>());
            places.zip($v).for_each(|(out, x)| out.copy_from_slice(&x.to_ne_bytes()));
            true
        }};
    }
    if data.len().checked_mul(data.dtype().bytes()) != Some(out.len()) {
        return false;
    }
    match data {
        TensorData::I8(v) => {
            out.iter_mut().zip(v).for_each(|(out, &x)| *out = x.cast_unsigned() ^ 0x80);
            true
        }
        TensorData::U16(v) => {
            let places = out.chunks_exact_mut(2).zip(v);
            places.for_each(|(out, &x)| out.copy_from_slice(&(x ^ 0x8000).to_ne_bytes()));
            true
        }
        TensorData::U8(v) | TensorData::Narrow(_, v) => {
            out.copy_from_slice(v);
            true
        }
        TensorData::Bool(v) => {
            out.iter_mut().zip(v).for_each(|(out, &x)| *out = x.into());
            true
        }
        TensorData::I16(v) => all!(v, i16),
        TensorData::Half(_, v) => all!(v, u16),
        TensorData::I32(v) => all!(v, i32),
        TensorData::U32(v) => all!(v, u32),
        TensorData::F32(v) => all!(v, f32),
        TensorData::I64(v) => all!(v, i64),
        TensorData::U64(v) => all!(v, u64),
        TensorData::F64(v) => all!(v, f64),
        TensorData::Str(_) | TensorData::Bag(_) => false,
    }
}

/// Reads elements into storage of as many; false for text and bags.
pub(super) fn get(bytes: &[u8], data: &mut TensorData) -> bool {
    macro_rules! all {
        ($v:expr, $t:ident) => {{
            let places = bytes.chunks_exact(size_of::<$t>());
            $v.iter_mut().zip(places).for_each(|(x, bytes)| {
                let mut own = [0; size_of::<$t>()];
                own.copy_from_slice(bytes);
                *x = $t::from_ne_bytes(own);
            });
        }};
    }
    match data {
        TensorData::I8(v) => v.iter_mut().zip(bytes).for_each(|(x, &byte)| *x = (byte ^ 0x80).cast_signed()),
        TensorData::U16(v) => {
            all!(v, u16);
            v.iter_mut().for_each(|x| *x ^= 0x8000);
        }
        TensorData::U8(v) | TensorData::Narrow(_, v) => {
            v.iter_mut().zip(bytes).for_each(|(x, &byte)| *x = byte);
        }
        TensorData::Bool(v) => v.iter_mut().zip(bytes).for_each(|(x, &byte)| *x = byte != 0),
        TensorData::I16(v) => all!(v, i16),
        TensorData::Half(_, v) => all!(v, u16),
        TensorData::I32(v) => all!(v, i32),
        TensorData::U32(v) => all!(v, u32),
        TensorData::F32(v) => all!(v, f32),
        TensorData::I64(v) => all!(v, i64),
        TensorData::U64(v) => all!(v, u64),
        TensorData::F64(v) => all!(v, f64),
        TensorData::Str(_) | TensorData::Bag(_) => return false,
    }
    true
}

/// Storage of so many zeros; none of text and bags.
pub(super) fn zeros(dtype: DType, n: usize) -> Option<TensorData> {
    Some(match dtype {
        DType::Bool => TensorData::Bool(vec![false; n]),
        DType::U8 => TensorData::U8(vec![0; n]),
        DType::I8 => TensorData::I8(vec![0; n]),
        DType::U16 => TensorData::U16(vec![0; n]),
        DType::I16 => TensorData::I16(vec![0; n]),
        DType::U32 => TensorData::U32(vec![0; n]),
        DType::I32 => TensorData::I32(vec![0; n]),
        DType::U64 => TensorData::U64(vec![0; n]),
        DType::I64 => TensorData::I64(vec![0; n]),
        DType::F32 => TensorData::F32(vec![0.0; n]),
        DType::F64 => TensorData::F64(vec![0.0; n]),
        DType::Half(half) => TensorData::Half(half, vec![0; n]),
        DType::Narrow(narrow) => TensorData::Narrow(narrow, vec![0; n]),
        DType::Str | DType::Bag => return None,
    })
}

/// An input as it is.
#[derive(Clone, Debug)]
pub(super) struct Load {
    pub(super) input: usize,
    pub(super) y: Slot,
}

impl Load {
    pub(super) fn run(&self, run: &mut Run<'_>) {
        let (_, out) = run.rooms.apart(run.memory, self.y);
        if let Some(data) = run.inputs.get(self.input) {
            // Dtype and length were checked when the run began.
            put(data, out);
        }
    }
}

/// Where floats come from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Floats {
    /// An input, which is not copied.
    Input(usize),
    /// A step.
    Slot(Slot),
}

/// `clamp(round_ties_even(x / scale) + zero)` of single precision.
#[derive(Clone, Debug)]
pub(super) struct Quantize {
    pub(super) x: Floats,
    pub(super) y: Slot,
    pub(super) scale: f32,
    pub(super) codes: Codes,
    /// What becomes of NaN: the code 0 of the dtype.
    pub(super) of_nan: i32,
    /// Rows and columns of matrices that are turned on the way: channels, and pixels of one; of one row, nothing is.
    pub(super) turned: (usize, usize),
}

struct Codings<'a, F, C> {
    step: &'a Quantize,
    n: usize,
    float: F,
    out: &'a mut [u8],
    cell: PhantomData<C>,
}

impl<F: Fn(usize) -> f32, Y: Cell> Plain for Codings<'_, F, Y> {
    type Made = ();

    #[inline(always)]
    fn run(self) {
        self.step.all::<Y>(self.n, self.float, self.out);
    }
}

impl Quantize {
    /// Most steps from 0 of a quotient that can still be a code: beyond it codes are saturated. Below 2^22, so that
    /// adding [`Quantize::WHOLE`] rounds.
    const MOST: f32 = 1_048_576.0;
    /// `1.5 * 2^23`: adding it drops the fraction, ties to even.
    const WHOLE: f32 = 12_582_912.0;

    #[inline(always)]
    fn code(&self, x: f32) -> i32 {
        let quotient = x / self.scale;
        let whole = (quotient.clamp(-Self::MOST, Self::MOST) + Self::WHOLE) - Self::WHOLE;
        let code =
            (whole as i32 + self.codes.zero as i32).clamp(self.codes.low as i32, self.codes.high as i32);
        if quotient.is_nan() { self.of_nan } else { code }
    }

    pub(super) fn run(&self, run: &mut Run<'_>) {
        let (others, out) = run.rooms.apart(run.memory, self.y);
        let machine = run.machine;
        of_width!(self.codes.width, Y => match self.x {
            Floats::Slot(slot) => {
                let x = others.get(slot);
                let float = |at: usize| {
                    let mut own = [0; 4];
                    own.copy_from_slice(&x[4 * at..4 * at + 4]);
                    f32::from_ne_bytes(own)
                };
                machine.run(Codings { step: self, n: x.len() / 4, float, out, cell: PhantomData::<Y> });
            }
            Floats::Input(at) => {
                if let Some(TensorData::F32(x)) = run.inputs.get(at) {
                    machine.run(Codings { step: self, n: x.len(), float: |at| x[at], out, cell: PhantomData::<Y> });
                }
            }
        });
    }

    #[inline(always)]
    fn all<Y: Cell>(&self, n: usize, float: impl Fn(usize) -> f32, out: &mut [u8]) {
        let (rows, columns) = self.turned;
        if rows <= 1 {
            (0..n).for_each(|at| Y::put(out, at, self.code(float(at))));
            return;
        }
        for from in (0..n).step_by((rows * columns).max(1)) {
            for row in 0..rows {
                for column in 0..columns {
                    let code = self.code(float(from + row * columns + column));
                    Y::put(out, from + column * rows + row, code);
                }
            }
        }
    }
}

/// `(q - zero) * scale` to single precision.
#[derive(Clone, Debug)]
pub(super) struct Dequantize {
    pub(super) x: Slot,
    pub(super) y: Slot,
    /// The width of codes; none of numbers of 32 bits.
    pub(super) width: Option<Width>,
    pub(super) zero: i32,
    pub(super) scale: f32,
}

impl Dequantize {
    pub(super) fn run(&self, run: &mut Run<'_>) {
        let (others, out) = run.rooms.apart(run.memory, self.y);
        let x = others.get(self.x);
        let Some(width) = self.width else {
            for (x, out) in x.chunks_exact(4).zip(out.chunks_exact_mut(4)) {
                let mut own = [0; 4];
                own.copy_from_slice(x);
                // In double precision, as the interpreter has it: single does not hold all of 32 bits.
                let difference = f64::from(i32::from_ne_bytes(own)) - f64::from(self.zero);
                out.copy_from_slice(&((difference * f64::from(self.scale)) as f32).to_ne_bytes());
            }
            return;
        };
        of_width!(width, X => {
            for (at, out) in out.chunks_exact_mut(4).enumerate() {
                let code: i32 = X::get(x, at).into();
                out.copy_from_slice(&((code - self.zero) as f32 * self.scale).to_ne_bytes());
            }
        });
    }
}

/// Bytes of a constant.
pub(super) fn bytes_of(data: &TensorData) -> Option<Vec<u8>> {
    let mut bytes = vec![0; data.len().checked_mul(data.dtype().bytes())?];
    put(data, &mut bytes).then_some(bytes)
}

/// Codes of a dtype as they are stored.
pub(super) fn codes_of(dtype: DType, zero: i64, low: i64, high: i64) -> Option<Codes> {
    let shift = shift_of(dtype);
    Some(Codes { width: Width::of(dtype)?, zero: zero + shift, low: low + shift, high: high + shift })
}

/// The same of a product, whose output may hold numbers of 32 bits; they have no width of codes.
pub(super) fn sums_of(dtype: DType, zero: i64, low: i64, high: i64) -> Option<(Codes, bool)> {
    match dtype {
        DType::I32 => Some((Codes { width: Width::Word, zero, low, high }, true)),
        _ => Some((codes_of(dtype, zero, low, high)?, false)),
    }
}
