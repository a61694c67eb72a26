//! Shapes: each axis a number, a named symbol, or not known.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

/// One axis of a shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dim {
    /// A known length.
    Fixed(usize),
    /// A length known only when data arrives; equal names are equal lengths.
    Symbol(String),
    /// A length of which nothing is known before data arrives.
    Unknown,
    /// Any number of axes of any length; it stands alone in a shape whose rank is not known.
    Rest,
}

impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Dim::Fixed(n) => write!(f, "{n}"),
            Dim::Symbol(s) => f.write_str(s),
            Dim::Unknown => f.write_str("?"),
            Dim::Rest => f.write_str(".."),
        }
    }
}

/// Axes, outermost first; no axis is a scalar.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Shape(pub Vec<Dim>);

impl Shape {
    /// `[N]`: one value a row.
    pub fn rows() -> Shape {
        Shape(alloc::vec![Dim::Symbol("N".to_string())])
    }

    /// `[M]`: one value a row of a second table.
    pub fn other_rows() -> Shape {
        Shape(alloc::vec![Dim::Symbol("M".to_string())])
    }

    /// `[N, width]`.
    pub fn rows_by(width: usize) -> Shape {
        Shape(alloc::vec![Dim::Symbol("N".to_string()), Dim::Fixed(width)])
    }

    /// A shape of known lengths.
    pub fn fixed(dims: &[usize]) -> Shape {
        Shape(dims.iter().map(|&n| Dim::Fixed(n)).collect())
    }

    /// A shape of which nothing is known, not even its rank.
    pub fn any() -> Shape {
        Shape(alloc::vec![Dim::Rest])
    }

    /// `rank` axes of unknown length.
    pub fn of_rank(rank: usize) -> Shape {
        Shape(alloc::vec![Dim::Unknown; rank])
    }

    /// The axes, if their number is known.
    pub fn axes(&self) -> Option<&[Dim]> {
        if self.0.contains(&Dim::Rest) { None } else { Some(&self.0) }
    }

    /// The lengths of all axes, if they are known.
    pub fn lengths(&self) -> Option<Vec<usize>> {
        let length = |dim: &Dim| match dim {
            Dim::Fixed(n) => Some(*n),
            Dim::Symbol(_) | Dim::Unknown | Dim::Rest => None,
        };
        self.0.iter().map(length).collect()
    }

    /// The lengths of all axes that are named, those that are not known as `other`.
    pub fn lengths_or(&self, other: usize) -> Vec<usize> {
        let length = |dim: &Dim| if let Dim::Fixed(n) = dim { *n } else { other };
        self.0.iter().map(length).collect()
    }

    /// The product of all lengths behind the first axis, if they are known.
    pub fn numbers_of_row(&self) -> Option<usize> {
        let axes = self.axes()?.get(1..)?;
        axes.iter().try_fold(1usize, |n, dim| match dim {
            Dim::Fixed(k) => n.checked_mul(*k),
            Dim::Symbol(_) | Dim::Unknown | Dim::Rest => None,
        })
    }

    /// Elements that one row has: the product of the known lengths.
    pub(crate) fn cells_of_row(&self) -> usize {
        self.0.iter().fold(1, |n, dim| match dim {
            Dim::Fixed(k) => n.saturating_mul(*k),
            Dim::Symbol(_) | Dim::Unknown | Dim::Rest => n,
        })
    }

    /// Number of axes.
    pub fn rank(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (i, dim) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{dim}")?;
        }
        f.write_str("]")
    }
}
