//! What a model as a WebAssembly file takes along: the routines that it calls, and what JavaScript calls.
//!
//! Built once, by `cargo xtask library`, into `crates/emit/src/wasm/library.wasm`; export joins it with what is the
//! model's own: three functions of the module `model`, which are imports here, and their constants. Routines that a model
//! does not call are left out then.
#![no_std]

extern crate alloc;

mod exports;
mod head;
mod model;
/// The routines of emitted Rust.
mod routines {
    #![allow(clippy::all, dead_code, unused, improper_ctypes_definitions)]
    include!(concat!(env!("OUT_DIR"), "/routines.rs"));
}

/// What all of this was built from, so that a file that was left behind is found.
#[unsafe(no_mangle)]
pub extern "C" fn library_digest() -> u64 {
    routines::DIGEST
}
