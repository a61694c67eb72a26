//! The runtime on a bare Cortex-M4: loads the model file that lies in the code memory, runs its self-test by the reference
//! interpreter and by the plan, and prints what `smidgen verify` prints, then the heap that it took.
//!
//! Nothing is between this and the machine: a vector table, a linker script, an allocator, and the debugger's channel
//! (semihosting) for text. Under qemu:
//!
//! ```sh
//! qemu-system-arm -M mps2-an386 -display none -semihosting-config enable=on,target=native -kernel IMAGE \
//!   -device loader,file=MODEL.smidgen,addr=0x200008,force-raw=on -device loader,addr=0x200000,data=LENGTH,data-len=4
//! ```
#![no_std]
#![no_main]

extern crate alloc;

mod debugger;
mod heap;
mod start;

use core::fmt::Write;
use debugger::{Debugger, exit};
use runtime::Verdict;

/// Where the model file is: a length, then its bytes.
const LENGTH: *const u32 = 0x20_0000 as *const u32;
const BYTES: *const u8 = 0x20_0008 as *const u8;

/// Bytes of code memory behind [`BYTES`].
const MOST: usize = (2 << 20) - 8;

fn main() -> Result<bool, alloc::string::String> {
    // SAFETY: both lie within the code memory, which nobody writes.
    let file = unsafe {
        let length = LENGTH.read_volatile() as usize;
        core::slice::from_raw_parts(BYTES, length.min(MOST))
    };
    let model = ir::file::read(file).map_err(|e| alloc::format!("{e}"))?;
    let loaded = heap::used();
    let checked = runtime::verify(&model).map_err(|e| alloc::format!("{e}"))?;
    let mut out = Debugger;
    for one in &checked {
        // The debugger takes every text.
        let _ = writeln!(out, "{} {:016x} {}", one.path, one.digest, one.verdict.name());
    }
    let (peak, touched) = heap::most();
    let _ = writeln!(out, "heap {loaded} bytes for the model, {peak} at most, {touched} touched");
    Ok(checked.iter().all(|one| one.verdict == Verdict::Ok))
}

/// What runs once memory is as a program expects it.
pub(crate) fn run() -> ! {
    match main() {
        Ok(ok) => exit(ok),
        Err(error) => {
            let _ = writeln!(Debugger, "{error}");
            exit(false)
        }
    }
}
