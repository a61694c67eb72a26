//! Codes as a plan holds them in its bytes: of 8 bits from 0 on, of 16 bits around 0.
//!
//! Signed codes of 8 bits are stored 128 higher, unsigned ones of 16 bits 32768 lower, and so are their zero points
//! and clamps; nothing else changes. So every product of 8 bits is of unsigned activations and signed weights, as
//! instructions want it, and every table of 256 places is indexed by what is stored.

use ir::DType;

/// How wide a stored code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    /// 8 bits, 0 to 255.
    Byte,
    /// 16 bits, -32768 to 32767.
    Word,
}

impl Width {
    /// Of a dtype that holds codes.
    pub(crate) fn of(dtype: DType) -> Option<Width> {
        match dtype {
            DType::I8 | DType::U8 => Some(Width::Byte),
            DType::I16 | DType::U16 => Some(Width::Word),
            _ => None,
        }
    }

    pub(crate) fn bytes(self) -> usize {
        match self {
            Width::Byte => 1,
            Width::Word => 2,
        }
    }

    /// Least and largest stored code.
    pub(crate) fn range(self) -> (i64, i64) {
        match self {
            Width::Byte => (0, 255),
            Width::Word => (-32_768, 32_767),
        }
    }
}

/// What is added to a code of a dtype where it is stored.
pub(crate) fn shift_of(dtype: DType) -> i64 {
    match dtype {
        DType::I8 => 128,
        DType::U16 => -32_768,
        _ => 0,
    }
}

/// A stored code.
pub(crate) trait Cell: Copy + Default + Ord + Into<i32> {
    /// Its width.
    const WIDTH: Width;
    /// The least code.
    const LEAST: Self;
    /// The code at a place of stored bytes.
    fn get(bytes: &[u8], at: usize) -> Self;
    /// Stores the low bits of a number.
    fn put(bytes: &mut [u8], at: usize, value: i32);
    /// The larger of each two codes.
    fn larger(most: &mut [u8], bytes: &[u8]);
    /// Adds codes to sums.
    fn add(sums: &mut [i32], bytes: &[u8]);
}

impl Cell for u8 {
    const WIDTH: Width = Width::Byte;
    const LEAST: u8 = 0;

    #[inline(always)]
    fn get(bytes: &[u8], at: usize) -> u8 {
        bytes[at]
    }

    #[inline(always)]
    fn put(bytes: &mut [u8], at: usize, value: i32) {
        bytes[at] = value as u8;
    }

    #[inline(always)]
    fn larger(most: &mut [u8], bytes: &[u8]) {
        most.iter_mut().zip(bytes).for_each(|(most, &x)| *most = x.max(*most));
    }

    #[inline(always)]
    fn add(sums: &mut [i32], bytes: &[u8]) {
        sums.iter_mut().zip(bytes).for_each(|(sum, &x)| *sum += i32::from(x));
    }
}

impl Cell for i16 {
    const WIDTH: Width = Width::Word;
    const LEAST: i16 = i16::MIN;

    #[inline(always)]
    fn get(bytes: &[u8], at: usize) -> i16 {
        i16::from_ne_bytes([bytes[2 * at], bytes[2 * at + 1]])
    }

    #[inline(always)]
    fn put(bytes: &mut [u8], at: usize, value: i32) {
        bytes[2 * at..2 * at + 2].copy_from_slice(&(value as i16).to_ne_bytes());
    }

    #[inline(always)]
    fn larger(most: &mut [u8], bytes: &[u8]) {
        for (most, x) in most.chunks_exact_mut(2).zip(bytes.chunks_exact(2)) {
            let code = i16::from_ne_bytes([x[0], x[1]]).max(i16::from_ne_bytes([most[0], most[1]]));
            most.copy_from_slice(&code.to_ne_bytes());
        }
    }

    #[inline(always)]
    fn add(sums: &mut [i32], bytes: &[u8]) {
        let cells = bytes.chunks_exact(2).map(|x| i16::from_ne_bytes([x[0], x[1]]));
        sums.iter_mut().zip(cells).for_each(|(sum, x)| *sum += i32::from(x));
    }
}

/// Runs code for the type of cells of a width.
macro_rules! of_width {
    ($width:expr, $cell:ident => $body:expr) => {
        match $width {
            crate::kernels::cells::Width::Byte => {
                type $cell = u8;
                $body
            }
            crate::kernels::cells::Width::Word => {
                type $cell = i16;
                $body
            }
        }
    };
}
pub(crate) use of_width;
