//! What shares one scale: a tensor, a channel, or a group of values of a channel.

use crate::error::{Error, Kind, misfit};

/// What shares one scale; `axis` is the axis kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granularity {
    /// The whole tensor.
    PerTensor,
    /// A slice along an axis.
    PerChannel {
        /// The axis kept.
        axis: usize,
    },
    /// `len` neighbours of the values of a slice, which are taken row-major along the other axes.
    PerGroup {
        /// The axis kept.
        axis: usize,
        /// Values of a group.
        len: usize,
    },
}

/// A tensor cut into parts of one scale: `[outer, n_channels, inner]`, channels in `n_groups` groups of `len`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts {
    n_channels: usize,
    inner: usize,
    n_groups: usize,
    len: usize,
}

impl Granularity {
    /// Number of parts of a tensor.
    ///
    /// # Errors
    /// `Axis`, `Group`, `Shape` for lengths whose product is beyond memory.
    pub fn n_parts(&self, dims: &[usize]) -> Result<usize, Error> {
        Ok(self.parts(dims)?.n())
    }

    /// The values of each part, in order of channels, then groups: `values: dims`, row-major.
    ///
    /// # Errors
    /// As [`Granularity::n_parts`]; `Shape` for values of another number.
    pub fn split(&self, dims: &[usize], values: &[f32]) -> Result<Vec<Vec<f32>>, Error> {
        let parts = self.parts(dims)?;
        count(dims, values.len())?;
        let mut split = vec![Vec::new(); parts.n()];
        for (at, &value) in values.iter().enumerate() {
            if let Some(part) = split.get_mut(parts.of(at)) {
                part.push(value);
            }
        }
        Ok(split)
    }

    pub(super) fn parts(&self, dims: &[usize]) -> Result<Parts, Error> {
        let product = |dims: &[usize]| dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
        let n = product(dims)
            .ok_or_else(|| misfit("lengths", "a tensor that fits memory", format!("{dims:?}")))?;
        let (axis, len) = match *self {
            Granularity::PerTensor => {
                return Ok(Parts { n_channels: 1, inner: 1, n_groups: 1, len: n.max(1) });
            }
            Granularity::PerChannel { axis } => (axis, None),
            Granularity::PerGroup { axis, len } => (axis, Some(len)),
        };
        let Some((&n_channels, rest)) = dims.get(axis..).and_then(<[usize]>::split_first) else {
            return Err(Kind::Axis { axis, rank: dims.len() }.into());
        };
        let inner = product(rest).unwrap_or(1);
        let per_channel = if n == 0 { 0 } else { n / n_channels };
        let len = len.unwrap_or(per_channel.max(1));
        if len == 0 || !per_channel.is_multiple_of(len) {
            return Err(Kind::Group { axis, len, per_channel }.into());
        }
        Ok(Parts { n_channels, inner: inner.max(1), n_groups: per_channel / len, len })
    }
}

/// Checks that there are as many values as a tensor holds.
pub(super) fn count(dims: &[usize], n: usize) -> Result<(), Error> {
    if dims.iter().product::<usize>() == n { Ok(()) } else { Err(misfit("values", format!("{dims:?}"), n)) }
}

impl Parts {
    /// Number of parts.
    pub(super) fn n(&self) -> usize {
        self.n_channels * self.n_groups
    }

    /// The part of an element.
    #[inline]
    pub(super) fn of(&self, at: usize) -> usize {
        let (slice, inside) = (at / self.inner, at % self.inner);
        let (outer, channel) = (slice / self.n_channels, slice % self.n_channels);
        channel * self.n_groups + (outer * self.inner + inside) / self.len
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_are_cut_along_the_axis_kept() {
        let values: Vec<f32> = (0..12).map(|i| i as f32).collect();
        let dims = [2, 3, 2];
        let check = |granularity: Granularity, expected: &[&[f32]]| {
            let split = granularity.split(&dims, &values).unwrap();
            assert_eq!(split, expected, "{granularity:?}");
            assert_eq!(granularity.n_parts(&dims).unwrap(), expected.len());
        };
        check(Granularity::PerTensor, &[&values]);
        check(Granularity::PerChannel { axis: 0 }, &[&values[..6], &values[6..]]);
        check(
            Granularity::PerChannel { axis: 1 },
            &[&[0.0, 1.0, 6.0, 7.0], &[2.0, 3.0, 8.0, 9.0], &[4.0, 5.0, 10.0, 11.0]],
        );
        check(
            Granularity::PerGroup { axis: 0, len: 3 },
            &[&values[..3], &values[3..6], &values[6..9], &values[9..]],
        );
        check(
            Granularity::PerGroup { axis: 2, len: 3 },
            &[&[0.0, 2.0, 4.0], &[6.0, 8.0, 10.0], &[1.0, 3.0, 5.0], &[7.0, 9.0, 11.0]],
        );
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let message = |g: Granularity, dims: &[usize]| g.n_parts(dims).unwrap_err().to_string();
        assert_eq!(
            message(Granularity::PerGroup { axis: 0, len: 64 }, &[4, 100]),
            "groups of 64 along axis 0: 100 values per channel are not a multiple of 64; use group:50 or 25 or 20"
        );
        assert_eq!(
            message(Granularity::PerChannel { axis: 2 }, &[4, 100]),
            "granularity: axis 2 of a tensor with 2 axes; expected an axis below 2"
        );
        assert!(message(Granularity::PerTensor, &[usize::MAX, 2]).contains("fits memory"));
        assert!(Granularity::PerGroup { axis: 0, len: 0 }.n_parts(&[4, 4]).is_err());
        assert!(Granularity::PerTensor.split(&[2, 2], &[1.0]).is_err());
        for dims in [&[0usize, usize::MAX][..], &[0], &[3, 0], &[0, 3]] {
            for axis in 0..dims.len() {
                assert_eq!(Granularity::PerChannel { axis }.split(dims, &[]).unwrap().concat(), [0.0f32; 0]);
            }
        }
    }
}
