//! Memory of the module: the allocator, and what happens when the program is wrong.
//!
//! Rooms have lengths of powers of two, and rooms that are free stand in a list for each length, whose links are kept in
//! the rooms themselves: taking and giving back are a few instructions, and the code is short. New rooms come from the end
//! of the memory, which grows by pages and never shrinks; who wants it back drops the whole instance.

use core::alloc::{GlobalAlloc, Layout};
use core::arch::wasm32::{memory_grow, unreachable};
use core::cell::UnsafeCell;
use core::ptr::null_mut;

/// Bytes of a page of WebAssembly.
const PAGE: usize = 1 << 16;

/// The shortest room, and what all rooms are aligned to: more than any type here asks for.
const LEAST: usize = 16;

/// A room that is free.
struct Room {
    next: *mut Room,
}

struct Rooms {
    /// Free rooms, by the binary logarithm of their length.
    free: [*mut Room; usize::BITS as usize],
    /// Memory that was never given out: from `next` to `end`.
    next: usize,
    end: usize,
}

impl Rooms {
    /// `length` bytes that were never given out; null if there are no more.
    fn fresh(&mut self, length: usize) -> *mut u8 {
        if self.end - self.next < length {
            let n_pages = length.div_ceil(PAGE);
            let before = memory_grow(0, n_pages);
            if before == usize::MAX {
                return null_mut();
            }
            // What is left of the last pages is lost unless the new ones stand right behind it.
            if before * PAGE != self.end {
                self.next = before * PAGE;
            }
            self.end = (before + n_pages) * PAGE;
        }
        let start = self.next;
        self.next += length;
        start as *mut u8
    }
}

struct Heap(UnsafeCell<Rooms>);

#[expect(unsafe_code, reason = "an allocator shared by all; a module has one thread")]
// SAFETY: the module is built without threads, so no two calls run at the same time.
unsafe impl Sync for Heap {}

/// Length of the room for a layout, as its binary logarithm; none if there can be no such room.
fn size_class(layout: Layout) -> Option<usize> {
    let length = layout.size().max(LEAST).checked_next_power_of_two()?;
    (layout.align() <= LEAST).then_some(length.trailing_zeros() as usize)
}

#[expect(unsafe_code, reason = "the contract of allocators")]
// SAFETY: a room is as long as its class says and starts at a multiple of `LEAST`, since memory begins with a page and all
// rooms before it are multiples of `LEAST`; larger alignments are refused. No room is in a list and given out at once.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(class) = size_class(layout) else { return null_mut() };
        // SAFETY: one thread, and no reference outlives this call.
        let rooms = unsafe { &mut *self.0.get() };
        let first = rooms.free[class];
        if first.is_null() {
            return rooms.fresh(1 << class);
        }
        // SAFETY: a room in the list is free and holds its link.
        rooms.free[class] = unsafe { (*first).next };
        first.cast()
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        let Some(class) = size_class(layout) else { return };
        // SAFETY: as in `alloc`; the room is the caller's no more and long enough for the link.
        unsafe {
            let rooms = &mut *self.0.get();
            let room: *mut Room = at.cast();
            (*room).next = rooms.free[class];
            rooms.free[class] = room;
        }
    }
}

#[global_allocator]
static HEAP: Heap =
    Heap(UnsafeCell::new(Rooms { free: [null_mut(); usize::BITS as usize], next: 0, end: 0 }));

/// A panic is a bug, or memory that is full: the call ends in a trap, which the caller sees as an error.
#[panic_handler]
fn stop(_: &core::panic::PanicInfo<'_>) -> ! {
    unreachable()
}
