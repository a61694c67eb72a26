//! Trees as bytes that are walked in place.
