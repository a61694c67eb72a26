//! `MaxPool`, `AveragePool`, `LpPool`: one number of each window.

use super::stored::{Found, Stored};
use super::window::Window;
use super::{Attr, Made, Operand, Payload, arity, flag, floats, misfit, numbers, one};
use crate::op::Attrs;
use crate::{DType, Dim, Error, Shape};
use alloc::vec::Vec;

/// Most elements of a window: a short file could else ask for any amount of work.
const MAX_TAPS: usize = 1 << 24;

/// How places in an image are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceOrder {
    /// Along the last axis first.
    Rows,
    /// Along the first axis first.
    Columns,
}

/// What becomes of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolKind {
    /// The largest element; pads do not count.
    Max {
        /// Where it stands is a second output, counted so; none where nobody asks.
        places: Option<PlaceOrder>,
    },
    /// The mean.
    Average {
        /// Pads count as zeros.
        with_pads: bool,
    },
    /// `(sum |x|^p)^(1 / p)`
    Norm {
        /// The exponent, at least 1.
        p: u32,
    },
}

/// ONNX's operators of these names. Input: `[N, C, ..]`. Output: `[N, C, windows..]`; `MaxPool` gives the places in
/// the flat input too where they are asked for, `i64`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// What becomes of a window.
    pub kind: PoolKind,
    /// The window; its kernel is given.
    pub window: Window,
    /// A last window may reach beyond the pads.
    pub ceil: bool,
}

/// Shape of one number of each window of `[N, C, ..]`, whose kernel is given.
pub(super) fn pooled(op: &'static str, window: &Window, x: &Operand<'_>, ceil: bool) -> Result<Shape, Error> {
    let Some(axes) = x.shape.axes() else { return Ok(Shape::any()) };
    let rank = axes.len().checked_sub(2).filter(|&r| r > 0 && r == window.kernel_shape.len());
    let Some(rank) = rank else {
        let expected = alloc::format!("{} axes", window.kernel_shape.len() + 2);
        return Err(misfit(op, "input", &expected, &x.describe()));
    };
    window.check(op, rank)?;
    let taps = window.kernel_shape.iter().try_fold(1usize, |n, &k| n.checked_mul(k));
    if taps.is_none_or(|n| n > MAX_TAPS) {
        let got = alloc::format!("{:?}", window.kernel_shape);
        return Err(misfit(op, "kernel_shape", "at most 2^24 elements", &got));
    }
    let kernel: Vec<Dim> = window.kernel_shape.iter().map(|&n| Dim::Fixed(n)).collect();
    let mut dims = axes[..2].to_vec();
    dims.extend(window.dims(op, &axes[2..], &kernel, ceil)?);
    Ok(Shape(dims))
}

impl Payload for Pool {
    fn name(&self) -> &'static str {
        match self.kind {
            PoolKind::Max { .. } => "MaxPool",
            PoolKind::Average { .. } => "AveragePool",
            PoolKind::Norm { .. } => "LpPool",
        }
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        let mut attrs = self.window.attrs();
        attrs.push(("ceil_mode", flag(self.ceil)));
        match self.kind {
            // Without places there is no order of them.
            PoolKind::Max { places } => {
                attrs.extend(places.map(|order| ("storage_order", flag(order == PlaceOrder::Columns))));
            }
            PoolKind::Average { with_pads } => attrs.push(("count_include_pad", flag(with_pads))),
            PoolKind::Norm { p } => attrs.push(("p", numbers(&[p as usize]))),
        }
        attrs
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let name = self.name();
        let [x] = arity(name, inputs)?;
        let is_max = matches!(self.kind, PoolKind::Max { .. });
        if !(is_max && matches!(x.dtype, DType::U8 | DType::I8 | DType::U16 | DType::I16)) {
            floats(name, "input", x)?;
        }
        if matches!(self.kind, PoolKind::Norm { p: 0 }) {
            return Err(misfit(name, "p", "1 or more", &0));
        }
        let shape = pooled(name, &self.window, x, self.ceil)?;
        let mut made = one(x.dtype, shape.clone())?;
        if matches!(self.kind, PoolKind::Max { places: Some(_) }) {
            made.push((DType::I64, shape));
        }
        Ok(made)
    }

    fn is_exact(&self) -> bool {
        matches!(self.kind, PoolKind::Max { .. })
    }
}

impl Stored for Pool {
    fn parse(name: &str, attrs: &Attrs) -> Found<Pool> {
        let read = |op: &'static str, kind: Result<PoolKind, Error>| {
            let (window, ceil) = (Window::parse(op, attrs)?, attrs.flag(op, "ceil_mode")?);
            Ok(Pool { kind: kind?, window, ceil })
        };
        let places = |a: &Attrs| {
            let by_columns = a.flag("MaxPool", "storage_order")?;
            Ok(if by_columns { PlaceOrder::Columns } else { PlaceOrder::Rows })
        };
        match name {
            "MaxPool" => {
                let places = attrs.maybe("storage_order", places);
                Some(read("MaxPool", places.map(|places| PoolKind::Max { places })))
            }
            "AveragePool" => {
                let with_pads = attrs.flag("AveragePool", "count_include_pad");
                Some(read("AveragePool", with_pads.map(|with_pads| PoolKind::Average { with_pads })))
            }
            "LpPool" => Some(read("LpPool", attrs.count("LpPool", "p").map(|p| PoolKind::Norm { p }))),
            _ => None,
        }
    }
}
