//! What JavaScript calls: as of the runtime of all models, but the model is there already; `smidgen_take` and `smidgen_give` come with [`cells::answer`].

use crate::head::model;
use crate::model::{predict, verify};
use cells::answer::answer;

/// The handle of the one model.
#[unsafe(no_mangle)]
pub extern "C" fn smidgen_load(_at: *const u8, _length: usize) -> *mut u8 {
    answer(Ok(1_u32.to_le_bytes().to_vec()))
}

/// What the model takes and gives, as JSON.
#[unsafe(no_mangle)]
pub extern "C" fn smidgen_signature(_model: usize) -> *mut u8 {
    answer(Ok(model().signature().as_bytes().to_vec()))
}

/// Runs the self-test; the answer is JSON.
#[unsafe(no_mangle)]
pub extern "C" fn smidgen_verify(_model: usize) -> *mut u8 {
    answer(Ok(verify().into_bytes()))
}

/// Predicts the rows of a table.
///
/// # Safety
/// `at` points to `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smidgen_predict(_model: usize, at: *const u8, length: usize) -> *mut u8 {
    // SAFETY: the caller's promise.
    answer(predict(unsafe { core::slice::from_raw_parts(at, length) }))
}

/// There is nothing to free but the instance.
#[unsafe(no_mangle)]
pub extern "C" fn smidgen_drop(_model: usize) {}
