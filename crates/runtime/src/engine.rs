//! The engines of a plan: one file each.

pub(crate) mod bins;
pub(crate) mod dictionary;
pub(crate) mod walk;
