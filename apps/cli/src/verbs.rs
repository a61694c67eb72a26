//! One file a verb: its arguments, its run, its words.

pub(crate) mod bench;
pub(crate) mod compose;
pub(crate) mod evaluate;
pub(crate) mod export;
pub(crate) mod fit;
pub(crate) mod inspect;
pub(crate) mod predict;
pub(crate) mod prepare;
pub(crate) mod quantize;
pub(crate) mod verify;
