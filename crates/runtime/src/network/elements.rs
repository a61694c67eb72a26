//! Sums and products of codes, and codes by a table.

use super::rooms::Slot;
use super::step::Run;
use crate::kernels::Plain;
use crate::kernels::cells::{Cell, Width, of_width};
use crate::kernels::ending::Codes;
use alloc::vec::Vec;
use core::marker::PhantomData;
use ir::fixed::Requantize;
use ir::op::tensor::SumFactors;

/// What becomes of two codes without their zero points.
#[derive(Clone, Copy, Debug)]
pub(super) enum Joint {
    /// Their sum.
    Sum(SumFactors),
    /// Their product.
    Product(Requantize),
}

impl Joint {
    pub(super) fn name(self) -> &'static str {
        match self {
            Joint::Sum(_) => "sum",
            Joint::Product(_) => "product of elements",
        }
    }
}

/// Three axes that two values share, each with the steps of both: 0 where a value is repeated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Repeated {
    lengths: [usize; 3],
    steps: [[usize; 3]; 2],
}

impl Repeated {
    /// Of values that broadcast to `dims`, each with as many axes; none where three axes are too few.
    pub(super) fn of(a: &[usize], b: &[usize], dims: &[usize]) -> Option<Repeated> {
        let mut axes: Vec<(usize, [bool; 2])> = Vec::new();
        for (at, &n) in dims.iter().enumerate() {
            let own = [*a.get(at)? == n, *b.get(at)? == n];
            match axes.last_mut() {
                _ if n == 1 => {}
                Some((length, same)) if *same == own => *length *= n,
                _ => axes.push((n, own)),
            }
        }
        let mut made = Repeated { lengths: [1; 3], steps: [[0; 3]; 2] };
        let free = 3usize.checked_sub(axes.len())?;
        let mut steps = [1, 1];
        for (at, (length, own)) in axes.iter().enumerate().rev() {
            made.lengths[free + at] = *length;
            for side in 0..2 {
                if own[side] {
                    made.steps[side][free + at] = steps[side];
                    steps[side] *= length;
                }
            }
        }
        Some(made)
    }
}

/// Two codes to one.
#[derive(Clone, Debug)]
pub(super) struct Pairwise {
    pub(super) joint: Joint,
    pub(super) sides: [(Slot, Width, i64); 2],
    pub(super) y: Slot,
    pub(super) codes: Codes,
    pub(super) repeated: Repeated,
}

struct Pairs<'a, C> {
    step: &'a Pairwise,
    a: &'a [u8],
    b: &'a [u8],
    out: &'a mut [u8],
    cells: PhantomData<C>,
}

impl<A: Cell, B: Cell, Y: Cell> Plain for Pairs<'_, (A, B, Y)> {
    type Made = ();

    #[inline(always)]
    fn run(self) {
        self.step.all::<A, B, Y>(self.a, self.b, self.out);
    }
}

impl Pairwise {
    pub(super) fn run(&self, run: &mut Run<'_>) {
        let (others, out) = run.rooms.apart(run.memory, self.y);
        let [(a, of_a, _), (b, of_b, _)] = self.sides;
        let (a, b) = (others.get(a), others.get(b));
        of_width!(of_a, A => of_width!(of_b, B => of_width!(self.codes.width, Y => {
            run.machine.run(Pairs { step: self, a, b, out, cells: PhantomData::<(A, B, Y)> });
        })));
    }

    #[inline(always)]
    fn all<A: Cell, B: Cell, Y: Cell>(&self, a: &[u8], b: &[u8], out: &mut [u8]) {
        match self.joint {
            Joint::Sum(factors) => self.each::<A, B, Y>(a, b, out, |a, b| factors.apply(a, b)),
            Joint::Product(pair) => self.each::<A, B, Y>(a, b, out, |a, b| pair.apply(a * b)),
        }
    }

    #[inline(always)]
    fn each<A: Cell, B: Cell, Y: Cell>(
        &self,
        a: &[u8],
        b: &[u8],
        out: &mut [u8],
        f: impl Fn(i64, i64) -> i64,
    ) {
        let [(_, _, zero_a), (_, _, zero_b)] = self.sides;
        let Repeated { lengths: [outer, middle, n], steps: [sa, sb] } = self.repeated;
        let (bytes_a, bytes_b, bytes) = (A::WIDTH.bytes(), B::WIDTH.bytes(), Y::WIDTH.bytes());
        let code = |a: A, b: B| {
            let (a, b): (i32, i32) = (a.into(), b.into());
            self.codes.of(f(i64::from(a) - zero_a, i64::from(b) - zero_b))
        };
        for (row, out) in out.chunks_exact_mut((n * bytes).max(1)).enumerate().take(outer * middle) {
            let (i, j) = (row / middle, row % middle);
            let a = &a[(i * sa[0] + j * sa[1]) * bytes_a..];
            let b = &b[(i * sb[0] + j * sb[1]) * bytes_b..];
            match (sa[2], sb[2]) {
                (0, _) => {
                    let first = A::get(a, 0);
                    let b = &b[..if sb[2] == 0 { 1 } else { n } * bytes_b];
                    (0..n).for_each(|k| Y::put(out, k, code(first, B::get(b, k * sb[2]))));
                }
                (_, 0) => {
                    let (a, second) = (&a[..n * bytes_a], B::get(b, 0));
                    (0..n).for_each(|k| Y::put(out, k, code(A::get(a, k), second)));
                }
                _ => {
                    let (a, b) = (&a[..n * bytes_a], &b[..n * bytes_b]);
                    (0..n).for_each(|k| Y::put(out, k, code(A::get(a, k), B::get(b, k))));
                }
            }
        }
    }
}

/// Codes of 8 bits by a table.
#[derive(Clone, Debug)]
pub(super) struct LookUp {
    pub(super) x: Slot,
    pub(super) y: Slot,
    /// By stored code; stored codes.
    pub(super) table: Vec<i16>,
    pub(super) width: Width,
}

impl LookUp {
    pub(super) fn run(&self, run: &mut Run<'_>) {
        let (others, out) = run.rooms.apart(run.memory, self.y);
        let x = others.get(self.x);
        let code = |x: u8| self.table.get(usize::from(x)).copied().unwrap_or_default();
        match self.width {
            Width::Byte => out.iter_mut().zip(x).for_each(|(y, &x)| *y = code(x) as u8),
            Width::Word => {
                let places = out.chunks_exact_mut(2).zip(x);
                places.for_each(|(y, &x)| y.copy_from_slice(&code(x).to_ne_bytes()));
            }
        }
    }
}
