//! A 64-bit digest: the checksum of the file and the fingerprint of predictions.
//!
//! Each step is a bijection of the state for a given word, and of the word for a given state, so
//! any change within one 8-byte word always changes the digest; other changes go unseen with
//! probability 2^-64. It guards against damage, not against an adversary.

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// Digest of a sequence of words and bytes.
#[derive(Clone, Copy, Debug)]
pub struct Digest {
    state: u64,
    n_bytes: u64,
}

impl Default for Digest {
    fn default() -> Digest {
        Digest::new()
    }
}

impl Digest {
    /// The digest of nothing.
    pub fn new() -> Digest {
        Digest { state: 0x5347_4d44_2d31_3634, n_bytes: 0 }
    }

    /// Adds one word: `h = rotate_left((h ^ word) * 0x9e3779b97f4a7c15, 31)`.
    #[inline]
    pub fn word(&mut self, word: u64) {
        self.state = (self.state ^ word).wrapping_mul(MULTIPLIER).rotate_left(31);
    }

    /// Adds bytes as little-endian words, the last one padded with zeros; the length counts too.
    pub fn bytes(&mut self, bytes: &[u8]) {
        let mut words = bytes.chunks_exact(8);
        for w in &mut words {
            self.word(u64::from_le_bytes([w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7]]));
        }
        let mut last = [0u8; 8];
        last[..words.remainder().len()].copy_from_slice(words.remainder());
        self.word(u64::from_le_bytes(last));
        self.n_bytes = self.n_bytes.wrapping_add(bytes.len() as u64);
    }

    /// The digest of all that was added. The state is mixed once more (bijectively), so that the
    /// last word reaches every bit.
    pub fn finish(self) -> u64 {
        mix(self.state ^ self.n_bytes.wrapping_mul(MULTIPLIER))
    }
}

/// Finalizer of splitmix64, a bijection of 64-bit words.
/// # Source  Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014.
#[inline]
pub fn mix(word: u64) -> u64 {
    let z = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Counter-based random words: the same stream in Rust, C and JavaScript.
#[derive(Clone, Copy, Debug)]
pub struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    /// The stream of a seed.
    pub fn new(seed: u64) -> SplitMix64 {
        SplitMix64 { state: seed }
    }

    /// The next word.
    #[inline]
    pub fn next_word(&mut self) -> u64 {
        self.state = self.state.wrapping_add(MULTIPLIER);
        mix(self.state)
    }

    /// A number in `0..1`, of 53 bits.
    #[inline]
    pub fn unit(&mut self) -> f64 {
        (self.next_word() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Twelve numbers in `0..1` less their mean: nearly normal, of deviation 1, and the same on any machine.
    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    /// A number in `0..n` (0 for `n` = 0), by multiplication: bias below `n / 2^32`.
    #[inline]
    pub fn below(&mut self, n: u32) -> u32 {
        let high = self.next_word() >> 32;
        ((high * u64::from(n)) >> 32) as u32
    }

    /// Puts items into a random order, each order about as likely as any other. At most `u32` items are moved.
    /// # Source  Durstenfeld, Communications of the ACM 7, 1964.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i as u32 + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn splitmix_published_vector() {
        let mut r = SplitMix64::new(1234567);
        assert_eq!(r.next_word(), 6457827717110365317);
        assert_eq!(r.next_word(), 3203168211198807973);
    }

    #[test]
    fn every_single_byte_change_shows() {
        let bytes: Vec<u8> = (0..61u8).collect();
        let digest = |b: &[u8]| {
            let mut d = Digest::new();
            d.bytes(b);
            d.finish()
        };
        let whole = digest(&bytes);
        for at in 0..bytes.len() {
            for flip in 1..=255u8 {
                let mut other = bytes.clone();
                other[at] ^= flip;
                assert_ne!(digest(&other), whole, "byte {at} flipped by {flip}");
            }
            assert_ne!(digest(&bytes[..at]), whole, "truncated at {at}");
        }
    }
}
