//! What a model takes, and what it may take.

use crate::error::Error;
use ir::Model;
use runtime::Plan;
use runtime::cost::OperationCosts;

/// What a model takes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Size {
    /// Length of its file.
    pub bytes: u64,
    /// Nanoseconds of a row in a batch, by a table of costs, or half of those of a single row, if they are more.
    pub ns: f64,
}

/// What a model may take.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// Length of its file.
    pub bytes: Option<u64>,
    /// Nanoseconds of a row in a batch, by a table of costs; a single row may take twice as many.
    pub ns: Option<f64>,
}

/// Models that are wanted small: by which costs, within which limits.
#[derive(Clone, Copy)]
pub struct Scales<'a> {
    /// What operations cost.
    pub costs: &'a OperationCosts,
    /// What a model may take.
    pub limits: Limits,
}

/// About as many bytes as a self-test has in a file.
const SELF_TEST: u64 = 24;

impl Size {
    /// Of a model as it is.
    ///
    /// # Errors
    /// A graph that no plan can run.
    pub fn of(model: &Model, costs: &OperationCosts) -> Result<Size, Error> {
        let bytes = ir::file::write(model).len() as u64;
        Ok(Size { bytes, ns: costs.row(&Plan::new(model.graph())?.counts()).limited() })
    }

    /// Of a model that has no self-test yet, with one.
    ///
    /// # Errors
    /// As [`Size::of`].
    pub(crate) fn with_test(model: &Model, costs: &OperationCosts) -> Result<Size, Error> {
        let size = Size::of(model, costs)?;
        Ok(Size { bytes: size.bytes + SELF_TEST, ..size })
    }

    /// What they take on average; none of none.
    pub(crate) fn mean(sizes: impl Iterator<Item = Size>) -> Option<Size> {
        let (n, all) = sizes.fold((0, Size::default()), |(n, all), size| (n + 1, all.plus(size)));
        (n > 0).then(|| Size { bytes: all.bytes.div_ceil(n), ns: all.ns / n as f64 })
    }

    /// Both together.
    pub fn plus(self, other: Size) -> Size {
        Size { bytes: self.bytes.saturating_add(other.bytes), ns: self.ns + other.ns }
    }

    /// What is left without the other; nothing where that is more.
    pub fn minus(self, other: Size) -> Size {
        Size { bytes: self.bytes.saturating_sub(other.bytes), ns: (self.ns - other.ns).max(0.0) }
    }
}

impl Limits {
    /// Whether nothing is limited.
    pub fn is_none(&self) -> bool {
        *self == Limits::default()
    }

    /// The shares of what is allowed that a size takes, by each measure that is limited.
    pub fn taken(&self, size: Size) -> impl Iterator<Item = f64> {
        let share = |size: f64, most: f64| size / most.max(1.0);
        let bytes = self.bytes.map(|most| share(size.bytes as f64, most as f64));
        bytes.into_iter().chain(self.ns.map(|most| share(size.ns, most)))
    }

    /// The largest share by which a size is more than what is allowed; 0 where it is not.
    pub fn excess(&self, size: Size) -> f64 {
        self.taken(size).map(|share| share - 1.0).fold(0.0, f64::max)
    }

    /// Whether a size is allowed.
    pub fn allow(&self, size: Size) -> bool {
        self.excess(size) <= 0.0
    }

    /// A share of what is allowed.
    pub fn share(&self, share: f64) -> Limits {
        let bytes = self.bytes.map(|bytes| (bytes as f64 * share) as u64);
        Limits { bytes, ns: self.ns.map(|ns| ns * share) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_share_counts() {
        let limits = Limits { bytes: Some(1000), ns: Some(50.0) };
        for (bytes, ns, excess) in
            [(1000, 50.0, 0.0), (1500, 50.0, 0.5), (1500, 100.0, 1.0), (10, 75.0, 0.5), (0, 0.0, 0.0)]
        {
            let size = Size { bytes, ns };
            assert_eq!(limits.excess(size), excess);
            assert_eq!(limits.allow(size), excess == 0.0);
            assert_eq!(Limits::default().excess(size), 0.0);
        }
        assert_eq!(limits.share(0.5), Limits { bytes: Some(500), ns: Some(25.0) });
        let (small, fast) = (Size { bytes: 1, ns: 9.0 }, Size { bytes: 7, ns: 2.0 });
        assert_eq!(Size::mean([small, fast].into_iter()), Some(Size { bytes: 4, ns: 5.5 }));
        assert_eq!(Size::mean(std::iter::empty()), None);
        assert_eq!(small.plus(fast), Size { bytes: 8, ns: 11.0 });
        assert_eq!(fast.minus(small), Size { bytes: 6, ns: 0.0 });
        assert_eq!(limits.taken(fast).collect::<Vec<_>>(), [0.007, 0.04]);
        assert_eq!(Limits { bytes: None, ..limits }.taken(fast).collect::<Vec<_>>(), [0.04]);
    }
}
