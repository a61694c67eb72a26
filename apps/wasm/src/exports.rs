//! What JavaScript calls.
//!
//! Bytes go in through memory that [`smidgen_take`] gives, and come back as an answer: `status` (0 if all went well) and
//! `length`, 4 bytes each, little endian, then so many bytes. The text of an error is such an answer too. Whoever is given
//! an answer gives it back, `8 + length` bytes, by [`smidgen_give`].

#![expect(unsafe_code, reason = "memory that the caller hands over, and names that it calls")]

use crate::Loaded;
use alloc::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use alloc::boxed::Box;
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

/// The model of a file; the answer is its handle, an address.
///
/// # Safety
/// `at` points to `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smidgen_load(at: *const u8, length: usize) -> *mut u8 {
    // SAFETY: the caller's promise.
    let bytes = unsafe { core::slice::from_raw_parts(at, length) };
    let handle = |model| (Box::into_raw(Box::new(model)) as usize).to_le_bytes().to_vec();
    answer(Loaded::read(bytes).map(handle))
}

/// What a model takes and gives, as JSON.
///
/// # Safety
/// `model` is a handle of [`smidgen_load`] that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smidgen_signature(model: *const Loaded) -> *mut u8 {
    // SAFETY: the caller's promise.
    answer(Ok(unsafe { &*model }.describe().into_bytes()))
}

/// Runs the self-test; the answer is JSON.
///
/// # Safety
/// As [`smidgen_signature`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smidgen_verify(model: *const Loaded) -> *mut u8 {
    // SAFETY: the caller's promise.
    answer(unsafe { &*model }.verify().map(String::into_bytes))
}

/// Predicts the rows of a table; see [`Loaded::predict`] for both layouts.
///
/// # Safety
/// As [`smidgen_signature`]; `at` points to `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smidgen_predict(model: *const Loaded, at: *const u8, length: usize) -> *mut u8 {
    // SAFETY: the caller's promise.
    let (model, table) = unsafe { (&*model, core::slice::from_raw_parts(at, length)) };
    answer(model.predict(table))
}

/// Frees a model.
///
/// # Safety
/// As [`smidgen_signature`]; the handle is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smidgen_drop(model: *mut Loaded) {
    // SAFETY: the caller's promise.
    drop(unsafe { Box::from_raw(model) });
}

fn answer(made: Result<Vec<u8>, String>) -> *mut u8 {
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
