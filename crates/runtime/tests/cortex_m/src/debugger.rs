//! Text and the end of the program, by the debugger (Arm's semihosting).
//! # Source  Arm, "Semihosting for AArch32 and AArch64", SYS_WRITE0 and SYS_EXIT.

use core::arch::asm;
use core::fmt;

const WRITE: usize = 0x04;
const EXIT: usize = 0x18;
/// The application ended by itself; any other reason is an error.
const ENDED: usize = 0x2_0026;

/// Where text goes.
pub(crate) struct Debugger;

impl fmt::Write for Debugger {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        write(text);
        Ok(())
    }
}

fn call(operation: usize, argument: usize) {
    // SAFETY: the debugger reads what the argument points to, and answers in r0.
    unsafe { asm!("bkpt 0xab", inout("r0") operation => _, in("r1") argument) }
}

/// Writes a text, in pieces that end with a zero.
pub(crate) fn write(text: &str) {
    for part in text.as_bytes().chunks(63) {
        let mut piece = [0u8; 64];
        piece[..part.len()].copy_from_slice(part);
        call(WRITE, piece.as_ptr() as usize);
    }
}

/// Ends the program.
pub(crate) fn exit(ok: bool) -> ! {
    call(EXIT, if ok { ENDED } else { 0 });
    crate::start::halt()
}
