//! From power-on to [`crate::run`]: the vector table, memory, the floating-point unit.

use core::arch::{asm, naked_asm};
use core::panic::PanicInfo;

unsafe extern "C" {
    static stack_top: u8;
    static mut data_start: u64;
    static data_end: u8;
    static data_source: u64;
    static mut bss_start: u64;
    static bss_end: u8;
}

/// The first words of the memory: where the stack begins, what runs first, and what runs when something is wrong.
#[repr(C)]
struct Vectors {
    stack: *const u8,
    reset: unsafe extern "C" fn() -> !,
    faults: [unsafe extern "C" fn() -> !; 14],
}

// SAFETY: read by the processor alone.
unsafe impl Sync for Vectors {}

#[unsafe(link_section = ".vectors")]
#[used]
static VECTORS: Vectors = Vectors { stack: &raw const stack_top, reset, faults: [fault; 14] };

/// Lets floating-point instructions through (coprocessors 10 and 11 in CPACR), before any function may use them.
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "C" fn reset() -> ! {
    naked_asm!(
        "ldr r0, =0xe000ed88",
        "ldr r1, [r0]",
        "orr r1, r1, #(0xf << 20)",
        "str r1, [r0]",
        "dsb",
        "isb",
        "b {begin}",
        begin = sym begin,
    )
}

unsafe extern "C" fn begin() -> ! {
    // SAFETY: the symbols are those of the linker script, aligned to 8 bytes, and nothing has used this memory yet.
    unsafe {
        let mut to = &raw mut data_start;
        let mut from = &raw const data_source;
        while to.cast_const().cast() < &raw const data_end {
            to.write_volatile(from.read_volatile());
            (to, from) = (to.add(1), from.add(1));
        }
        let mut to = &raw mut bss_start;
        while to.cast_const().cast() < &raw const bss_end {
            to.write_volatile(0);
            to = to.add(1);
        }
    }
    crate::run()
}

unsafe extern "C" fn fault() -> ! {
    crate::debugger::write("a fault of the processor\n");
    crate::debugger::exit(false)
}

#[panic_handler]
fn panicked(info: &PanicInfo<'_>) -> ! {
    use core::fmt::Write;
    let _ = writeln!(crate::debugger::Debugger, "{info}");
    crate::debugger::exit(false)
}

/// Stops the processor until the next interrupt, of which there is none.
pub(crate) fn halt() -> ! {
    loop {
        // SAFETY: touches nothing.
        unsafe { asm!("wfi") }
    }
}
