//! Memory of this process.

/// Bytes that this process holds in memory now; `None` where the system does not tell.
pub fn memory_in_use() -> Option<u64> {
    memory_stats::memory_stats().map(|stats| stats.physical_mem as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_counts() {
        let Some(before) = memory_in_use() else { return };
        let held = vec![7u8; 64 << 20];
        let now = memory_in_use().unwrap_or(0);
        assert!(now > before + (32 << 20), "{before} {now}");
        assert_eq!(held[held.len() / 2], 7);
    }
}
