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
    /// Nanoseconds of a row in a batch, by a table of costs.
    pub ns: f64,
}

/// What a model may take.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// Length of its file.
    pub bytes: Option<u64>,
    /// Nanoseconds of a row in a batch, by a table of costs.
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

impl Size {
    /// Of a model as it is.
    ///
    /// # Errors
    /// A graph that no plan can run.
    pub fn of(model: &Model, costs: &OperationCosts) -> Result<Size, Error> {
        let bytes = ir::file::write(model).len() as u64;
        Ok(Size { bytes, ns: costs.ns(&Plan::new(model.graph())?.counts()) })
    }

    /// The larger of both, by each measure.
    pub fn max(self, other: Size) -> Size {
        Size { bytes: self.bytes.max(other.bytes), ns: self.ns.max(other.ns) }
    }

    /// Both together.
    pub fn plus(self, other: Size) -> Size {
        Size { bytes: self.bytes.saturating_add(other.bytes), ns: self.ns + other.ns }
    }
}

impl Limits {
    /// Whether nothing is limited.
    pub fn is_none(&self) -> bool {
        *self == Limits::default()
    }

    /// The largest share by which a size is more than what is allowed; 0 where it is not.
    pub fn excess(&self, size: Size) -> f64 {
        let over = |size: f64, most: f64| (size / most.max(1.0) - 1.0).max(0.0);
        let bytes = self.bytes.map_or(0.0, |most| over(size.bytes as f64, most as f64));
        let ns = self.ns.map_or(0.0, |most| over(size.ns, most));
        bytes.max(ns)
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
        assert_eq!(small.max(fast), Size { bytes: 7, ns: 9.0 });
        assert_eq!(small.plus(fast), Size { bytes: 8, ns: 11.0 });
    }
}
