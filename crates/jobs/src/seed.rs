//! Seeds: one a run, and one derived for each part of it.

/// A seed; parts of a run derive theirs by label, so that adding a part changes no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(pub u64);

impl Seed {
    /// The seed of a named, numbered part.
    pub fn derive(self, label: &str, number: u64) -> Seed {
        let mut h = self.0 ^ 0x9e37_79b9_7f4a_7c15;
        for byte in label.bytes().map(u64::from).chain(number.to_le_bytes().map(u64::from)) {
            h = (h ^ byte).wrapping_mul(0xff51_afd7_ed55_8ccd);
            h ^= h >> 32;
        }
        Seed(h)
    }
}
