//! The integer form of networks: hand-computed cases, the interpreter against the formulas, plans against the
//! interpreter on every instruction set.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

#[path = "integer/allocations.rs"]
mod allocations;
#[path = "integer/cases.rs"]
mod cases;
#[path = "integer/formulas.rs"]
mod formulas;
#[path = "integer/graphs.rs"]
mod graphs;
#[path = "integer/made.rs"]
mod made;
#[path = "integer/plans.rs"]
mod plans;
