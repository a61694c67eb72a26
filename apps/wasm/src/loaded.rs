//! A model that was loaded: what it says of itself, predicts and proves.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use cells::{bind_all, describe};
use ir::{Model, OutputRole, Tensor, TensorData};
use runtime::Plan;

/// A model and its plan.
pub struct Loaded {
    model: Model,
    plan: Plan,
}

impl Loaded {
    /// The model of a `.smidgen` file.
    ///
    /// # Errors
    /// In words: the bytes are no model of tables, or a node of it has no plan.
    pub fn read(bytes: &[u8]) -> Result<Loaded, String> {
        if ir::file::is_network(bytes) {
            let what = "model file: networks are not supported here; use the command line";
            return Err(what.to_string());
        }
        let model = ir::file::read(bytes).map_err(|e| e.to_string())?;
        let plan = Plan::new(model.graph()).map_err(|e| e.to_string())?;
        Ok(Loaded { model, plan })
    }

    /// What the model takes and gives, as JSON: `task`, `target`, `targets`, `inputs` and `joined` (columns of a second
    /// table), each with `name`, `kind` and `dtype`, `outputs`, `classes`, `positive`, `missing`, `columns` (those that it
    /// makes) and `whole` (true if rows hang on other rows, so that a table must not be cut).
    pub fn describe(&self) -> String {
        describe::signature(self.model.signature(), self.plan.sees_other_rows())
    }

    /// Runs the self-test of the file by the reference interpreter and by the plan; JSON with `digest`, which is the file's
    /// (or null), and for each of `paths` its `path`, `digest` and `verdict`.
    ///
    /// # Errors
    /// In words: the rows of the test cannot be made or run.
    pub fn verify(&self) -> Result<String, String> {
        let checked = runtime::verify(&self.model).map_err(|e| e.to_string())?;
        let paths = checked.iter().map(|one| (one.path, one.digest, one.verdict.name()));
        Ok(describe::checked(self.model.self_test.map(|test| test.digest), paths))
    }

    /// Outputs for the rows of a table, laid out as [`cells::Table`] says.
    ///
    /// All outputs but scores follow one another in the order of the signature, elements row by row and little endian:
    /// probabilities as `f32 [n_rows, n_classes]`, labels as `i32 [n_rows]` (numbers of classes), values and made columns
    /// as `f64 [n_rows]`; each starts at a multiple of 8 bytes.
    ///
    /// # Errors
    /// In words: a cell is not what its column takes, or the bytes are no table of these columns.
    pub fn predict(&self, table: &[u8]) -> Result<Vec<u8>, String> {
        let signature = self.model.signature();
        let mut bound = Vec::with_capacity(self.plan_width());
        let mut rest = table;
        bind_all(&mut rest, &signature.inputs, &signature.missing, &mut bound)?;
        if let Some(joined) = &signature.joined {
            bind_all(&mut rest, &joined.inputs, &signature.missing, &mut bound)?;
        }
        let outputs = self.plan.run(&cells::columns(&bound)?).map_err(|e| e.to_string())?;
        let mut out = Vec::new();
        for (role, output) in signature.outputs.iter().zip(&outputs) {
            if *role != OutputRole::Score {
                write(&mut out, output);
            }
        }
        Ok(out)
    }

    fn plan_width(&self) -> usize {
        self.model.graph().inputs().len()
    }
}

fn write(out: &mut Vec<u8>, output: &Tensor) {
    match output.data() {
        TensorData::F32(v) => v.iter().for_each(|x| out.extend(x.to_le_bytes())),
        TensorData::F64(v) => v.iter().for_each(|x| out.extend(x.to_le_bytes())),
        // A label counts classes, which are fewer than 2^31.
        TensorData::I64(v) => v.iter().for_each(|&x| out.extend((x as i32).to_le_bytes())),
        // No other dtype plays a role but that of a score, which a model checks.
        _ => {}
    }
    out.resize(out.len().next_multiple_of(8), 0);
}
