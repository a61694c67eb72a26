//! What JavaScript calls: bytes come in and go out as [`cells::answer`] says, which brings `smidgen_take` and `smidgen_give`.

#![expect(unsafe_code, reason = "memory that the caller hands over, and names that it calls")]

use crate::Loaded;
use alloc::boxed::Box;
use alloc::string::String;
use cells::answer::answer;

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
