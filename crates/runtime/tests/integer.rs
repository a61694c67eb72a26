//! The integer form of networks: hand-computed cases, and the interpreter against the formulas.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

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
