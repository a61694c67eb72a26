//! What is wrong with a table.
//!
//! One question a file; each takes columns in chunks of rows and answers without changing them.

mod duplicates;
mod identifiers;
mod leaks;
mod roles;
mod sentinels;
mod spellings;

pub use duplicates::{Copies, copies};
pub use identifiers::identifier;
pub use leaks::{LeakTarget, leak};
pub use roles::{maybe_group, maybe_order};
pub use sentinels::sentinels;
pub(crate) use spellings::alike;
pub use spellings::spellings;

#[cfg(test)]
mod tests;
