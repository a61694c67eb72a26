//! Any bytes as CSV. The first byte chooses options, the rest is the file.
#![no_main]

use data::{Encoding, ReadOptions, Source};
use libfuzzer_sys::fuzz_target;
use smidgen_fuzz::{check_table, guarded};

fuzz_target!(|bytes: &[u8]| {
    guarded(|| {
        let Some((&first, text)) = bytes.split_first() else { return };
        let source = Source::spool("t.csv", text).expect("a temporary file can be written");
        let options = ReadOptions {
            missing: if first & 1 == 0 { vec![] } else { vec!["-9".into(), "x".into()] },
            delimiter: if first & 2 == 0 { None } else { Some(b';') },
            header: [None, Some(true), Some(false), None][usize::from(first >> 2 & 3)],
            encoding: if first & 16 == 0 { Encoding::Utf8 } else { Encoding::Latin1 },
            ..ReadOptions::default()
        };
        check_table(&source, &options);
    });
});
