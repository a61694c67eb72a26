//! Any bytes as Parquet: what does not begin as one does is given its first bytes.
#![no_main]

use data::{ReadOptions, Source};
use libfuzzer_sys::fuzz_target;
use smidgen_fuzz::{check_table, guarded};

fuzz_target!(|bytes: &[u8]| {
    guarded(|| {
        let mut file = bytes.to_vec();
        if let Some(start) = file.first_chunk_mut::<4>() {
            *start = *b"PAR1";
        }
        let source = Source::spool("t.parquet", &file[..]).expect("a temporary file can be written");
        check_table(&source, &ReadOptions::default());
    });
});
