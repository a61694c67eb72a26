//! Proof that this machine computes this model.

use crate::selftest::{OwnedColumn, digest, rows};
use crate::{Plan, reference};
use alloc::vec;
use alloc::vec::Vec;
use ir::{Column, Kind, Model};

/// Why a self-test could not run.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The rows cannot be made.
    #[error(transparent)]
    Rows(#[from] ir::Error),
    /// The graph does not run.
    #[error(transparent)]
    Run(#[from] crate::Error),
}

/// What came of one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The digest is the file's.
    Ok,
    /// It is another one.
    Differs,
    /// The path cannot run this model.
    Skipped,
}

impl Verdict {
    /// Word as printed.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Ok => "ok",
            Verdict::Differs => "differs",
            Verdict::Skipped => "skipped",
        }
    }
}

/// One path of the runtime, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The path: `reference`, or an instruction set.
    pub path: &'static str,
    /// What it computed.
    pub digest: u64,
    /// What that means.
    pub verdict: Verdict,
    /// Of a network with floats: numbers were compared within `2^-within` of the largest of their output. None where the
    /// digest decides.
    pub within: Option<u32>,
}

/// Runs every path of this machine on the model's self-test rows and compares digests.
/// A file without a self-test is compared with the reference interpreter.
///
/// # Errors
/// The rows cannot be made, or the reference interpreter cannot run them; a self-test of no rows
/// proves nothing, and one of more than [`crate::SELF_TEST_ROWS`] is not made by this version.
pub fn verify(model: &Model) -> Result<Vec<Checked>, Failure> {
    let graph = model.graph();
    let test = model.self_test;
    let (seed, n_rows) = test.map_or((1, crate::SELF_TEST_ROWS), |t| (t.seed, t.n_rows));
    if !(1..=crate::SELF_TEST_ROWS).contains(&n_rows) {
        let what = alloc::format!("a self-test of {n_rows} rows");
        return Err(ir::Error::from(Kind::Unknown { what }).into());
    }
    let owned = rows(graph, seed, n_rows, &[])?;
    let columns: Vec<Column<'_>> = owned.iter().filter_map(OwnedColumn::column).collect();
    let meant = digest(&reference::run(graph, &columns)?);
    let expected = test.map_or(meant, |t| t.digest);
    let judge = |digest: u64| if digest == expected { Verdict::Ok } else { Verdict::Differs };
    let mut checked = vec![Checked { path: "reference", digest: meant, verdict: judge(meant), within: None }];
    checked.push(match Plan::new(graph) {
        Ok(plan) => {
            let digest = digest(&plan.run(&columns)?);
            Checked { path: "scalar", digest, verdict: judge(digest), within: None }
        }
        Err(_) => Checked { path: "scalar", digest: 0, verdict: Verdict::Skipped, within: None },
    });
    Ok(checked)
}
