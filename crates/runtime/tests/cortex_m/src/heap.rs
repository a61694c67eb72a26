//! The heap, which counts: rooms of powers of two, free ones in a list by length.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr::null_mut;

unsafe extern "C" {
    static heap_start: u8;
    static heap_end: u8;
}

const LEAST: usize = 16;

struct Room {
    next: *mut Room,
}

struct Rooms {
    free: [*mut Room; 32],
    /// Start of the memory that was never given out; 0 before the first call.
    next: usize,
    /// Bytes asked for and not given back, and the most that these were.
    used: usize,
    peak: usize,
}

struct Heap(UnsafeCell<Rooms>);

// SAFETY: one core, and no interrupt takes memory.
unsafe impl Sync for Heap {}

#[global_allocator]
static HEAP: Heap = Heap(UnsafeCell::new(Rooms { free: [null_mut(); 32], next: 0, used: 0, peak: 0 }));

fn start() -> usize {
    (&raw const heap_start) as usize
}

/// Binary logarithm of the room of a layout.
fn class(layout: Layout) -> usize {
    layout.size().max(layout.align()).max(LEAST).next_power_of_two().trailing_zeros() as usize
}

// SAFETY: rooms are as long as their class says and aligned to 16 bytes, more than any type here asks for; a larger
// alignment is refused.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: one core, and no reference outlives this call; a room in a list is free and holds its link.
        unsafe {
            let rooms = &mut *self.0.get();
            let class = class(layout);
            let mut at: *mut u8 = rooms.free[class].cast();
            if at.is_null() {
                let next = rooms.next.max(start()).next_multiple_of(LEAST);
                if layout.align() > LEAST || next + (1 << class) > (&raw const heap_end) as usize {
                    return null_mut();
                }
                (at, rooms.next) = (next as *mut u8, next + (1 << class));
            } else {
                rooms.free[class] = (*rooms.free[class]).next;
            }
            rooms.used += layout.size();
            rooms.peak = rooms.peak.max(rooms.used);
            at
        }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as in `alloc`; the room is the caller's no more.
        unsafe {
            let rooms = &mut *self.0.get();
            let (class, room) = (class(layout), at.cast::<Room>());
            (*room).next = rooms.free[class];
            rooms.free[class] = room;
            rooms.used -= layout.size();
        }
    }
}

/// Bytes in use.
pub(crate) fn used() -> usize {
    // SAFETY: one core.
    unsafe { (*HEAP.0.get()).used }
}

/// Most bytes that were in use, and those of the memory that was ever given out.
pub(crate) fn most() -> (usize, usize) {
    // SAFETY: one core.
    let rooms = unsafe { &*HEAP.0.get() };
    (rooms.peak, rooms.next.saturating_sub(start()))
}
