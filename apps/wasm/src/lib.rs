//! The runtime of tables as one WebAssembly file that needs nothing: no imports, no glue that is generated.
//!
//! JavaScript hands over bytes and gets bytes back ([`exports`]): a model file, then tables as [`cells`] takes them.
//! [`Loaded`] predicts with the one plan that there is and proves itself by the self-test of the file. `smidgen.js` beside
//! this crate is the interface that people use.
//!
//! On `wasm32` the crate has no `std` and an allocator of its own; elsewhere it is an ordinary library, so that its tests
//! run on any machine.
#![cfg_attr(target_arch = "wasm32", no_std)]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests may unwrap"))]

extern crate alloc;

pub mod exports;
mod loaded;

pub use loaded::Loaded;
