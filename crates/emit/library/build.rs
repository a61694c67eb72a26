//! Writes the routines of emitted Rust, each with a function of plain numbers around it, for `lib.rs` to include.

use std::path::Path;
use std::{env, fs};

fn main() {
    let place = env::var("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&place).join("routines.rs"), emit::library_source()).expect("the folder is there");
    println!("cargo:rerun-if-changed=build.rs");
}
