//! How bytes come in and go out.
//!
//! Bytes come in through memory that [`smidgen_take`] gives, and go out as an answer: `status` (0 if all went well) and `length`,
//! 4 bytes each, little endian, then so many bytes. The text of an error is such an answer too. Whoever is given an answer
//! gives it back, `8 + length` bytes, by [`smidgen_give`].

#![expect(unsafe_code, reason = "memory that the caller hands over, and names that it calls")]

use alloc::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use alloc::string::String;
use alloc::vec::Vec;

/// Bytes in front of the bytes of an answer.
const HEAD: usize = 8;

/// Every room is aligned for the largest number.
fn layout(length: usize) -> Layout {
    Layout::from_size_align(length.max(1), 8).expect("nobody holds bytes for more than half of the addresses")
}

/// Room for `length` bytes.
#[unsafe(no_mangle)]
pub extern "C" fn smidgen_take(length: usize) -> *mut u8 {
    let layout = layout(length);
    // SAFETY: a layout here is never of no bytes.
    let at = unsafe { alloc(layout) };
    if at.is_null() { handle_alloc_error(layout) } else { at }
}

/// Gives room back.
///
/// # Safety
/// `at` came from [`smidgen_take`] with this `length`, or is an answer of `length - 8` bytes; it is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smidgen_give(at: *mut u8, length: usize) {
    // SAFETY: the caller's promise.
    unsafe { dealloc(at, layout(length)) }
}

/// What was made, or what is wrong in words, as an answer.
pub fn answer(made: Result<Vec<u8>, String>) -> *mut u8 {
    let (status, bytes) = match made {
        Ok(bytes) => (0_u32, bytes),
        Err(text) => (1, text.into_bytes()),
    };
    let at = smidgen_take(HEAD + bytes.len());
    // SAFETY: the room has so many bytes and is nobody else's.
    let room = unsafe { core::slice::from_raw_parts_mut(at, HEAD + bytes.len()) };
    room[..4].copy_from_slice(&status.to_le_bytes());
    room[4..HEAD].copy_from_slice(&(bytes.len() as u32).to_le_bytes());
    room[HEAD..].copy_from_slice(&bytes);
    at
}
