//! What is done to columns before they are learnt from: the flags that `fit` and `prepare` share.

use crate::values;
use smidgen::{
    AUGMENTATIONS, CALIBRATORS, Duplicates, ENSEMBLES, Error, JoinOptions, LEARNERS, MissingCells,
    RelationOptions, TRANSFORMS,
};
use smidgen::{past_rows, related_rows};

/// Cleaning and transforms.
#[derive(clap::Args)]
pub(crate) struct StepArgs {
    /// Transforms of the columns, in order: NAME, NAME:PARAM=VALUE, NAME(COL;COL) for some columns
    #[arg(long = "transforms", value_name = "NAME,..", value_delimiter = ',')]
    names: Vec<String>,
    /// A parameter of a learner or a transform
    #[arg(long, value_name = "NAME.PARAM=VALUE", value_parser = values::pair)]
    set: Vec<(String, String)>,
    /// Rows that stand more than once: report or drop
    #[arg(long, value_name = "WHAT", default_value = "report", hide_default_value = true, value_parser = duplicates)]
    pub(crate) duplicates: Duplicates,
    /// Cells without a value: leave, impute, drop-rows or drop-columns:SHARE
    #[arg(long, value_name = "WHAT", default_value = "leave", hide_default_value = true, value_parser = missing_cells)]
    pub(crate) missing_cells: MissingCells,
    /// The column that orders rows: earlier rows become features
    #[arg(long, value_name = "COL")]
    order: Option<String>,
    /// The column whose rows belong together: they share a fold, and with --order a past
    #[arg(long, value_name = "COL")]
    group: Option<String>,
    /// A second table, whose rows are summed up for each row
    #[arg(long, value_name = "FILE", requires = "on")]
    join: Option<String>,
    /// The column that both tables have as key, or COL=COL of the second
    #[arg(long, value_name = "COL", requires = "join")]
    on: Option<String>,
    /// The time column of both tables, or COL=COL of the second: only rows before count
    #[arg(long, value_name = "COL", requires = "join")]
    before: Option<String>,
    /// A category column of the second table, whose shares are features
    #[arg(long, value_name = "COL", requires = "join")]
    by: Option<String>,
}

/// `a=b`, or `a` for both.
fn both(text: &str) -> (String, String) {
    let (a, b) = text.split_once('=').unwrap_or((text, text));
    (a.trim().to_owned(), b.trim().to_owned())
}

fn duplicates(text: &str) -> Result<Duplicates, String> {
    match text {
        "report" => Ok(Duplicates::Report),
        "drop" => Ok(Duplicates::Drop),
        other => Err(format!("expected report or drop, got \"{other}\"")),
    }
}

fn missing_cells(text: &str) -> Result<MissingCells, String> {
    let (what, share) = text.split_once(':').map_or((text, None), |(what, share)| (what, Some(share)));
    match (what, share) {
        ("leave", None) => Ok(MissingCells::Leave),
        ("impute", None) => Ok(MissingCells::Impute),
        ("drop-rows", None) => Ok(MissingCells::DropRows),
        // Without a share: any missing cell.
        ("drop-columns", None) => Ok(MissingCells::DropColumns(0.0)),
        ("drop-columns", Some(share)) => {
            let known = share.parse::<f64>().ok().filter(|s| (0.0..=1.0).contains(s));
            known.map(MissingCells::DropColumns).ok_or_else(|| {
                format!("expected a share between 0 and 1 behind drop-columns:, got \"{share}\"")
            })
        }
        _ => Err(format!("expected leave, impute, drop-rows or drop-columns:SHARE, got \"{text}\"")),
    }
}

/// Settings by whose they are.
#[derive(Default)]
pub(crate) struct Settings {
    /// Learner, name, value.
    pub(crate) learners: Vec<(String, String, String)>,
    /// Transform, name, value.
    pub(crate) transforms: Vec<(String, String, String)>,
    /// Augmentation, name, value; `prepare`, which has no learner, takes none.
    pub(crate) augmentations: Vec<(String, String, String)>,
    /// Calibrator, name, value; `prepare`, which has no learner, takes none.
    pub(crate) calibrators: Vec<(String, String, String)>,
    /// Ensemble, name, value; `prepare`, which has no learner, takes none.
    pub(crate) ensembles: Vec<(String, String, String)>,
    pub(crate) relations: RelationOptions,
}

/// The learners, for the long help; their parameters are many and stand in docs/parameters.md.
pub(crate) fn learners() -> String {
    let line = |l: &&smidgen::LearnerEntry| format!("  {:<26} {}\n", l.name, l.doc);
    format!("Learners:\n{}\n", LEARNERS.iter().map(line).collect::<String>())
}

/// The transforms and their parameters, for the long help.
pub(crate) fn list() -> String {
    let lines = TRANSFORMS.iter().map(|entry| line(entry.name, entry.doc, entry.spec));
    format!("Transforms, with their parameters:\n{}", lines.collect::<String>())
}

/// The augmentations and their parameters, for the long help.
pub(crate) fn augmentations() -> String {
    let lines = AUGMENTATIONS.iter().map(|entry| line(entry.name, entry.doc, entry.spec));
    format!("Augmentations, with their parameters:\n{}\n", lines.collect::<String>())
}

/// The ensembles and their parameters, for the long help.
pub(crate) fn ensembles() -> String {
    let lines = ENSEMBLES.iter().map(|entry| line(entry.name, entry.doc, entry.spec));
    format!("Ensembles, with their parameters:\n{}\n", lines.collect::<String>())
}

fn line(name: &str, doc: &str, spec: &[smidgen::ParamSpec]) -> String {
    let params: Vec<String> = spec.iter().map(|p| format!("{}={}", p.name, p.default)).collect();
    let params = if params.is_empty() { String::new() } else { format!(" ({})", params.join(", ")) };
    format!("  {name:<26} {doc}{params}\n")
}

impl StepArgs {
    /// The transforms.
    pub(crate) fn transforms(&self) -> Vec<String> {
        self.names.iter().map(|n| n.trim().to_owned()).filter(|n| !n.is_empty()).collect()
    }

    /// Settings of `learners`, of transforms, and beside learners of calibrators.
    ///
    /// # Errors
    /// A setting of neither.
    pub(crate) fn settings(&self, learners: &[&str]) -> Result<Settings, Error> {
        let mut settings = Settings::default();
        let (mut past, mut join) = (Vec::new(), Vec::new());
        for (name, value) in &self.set {
            let Some((of, param)) = name.split_once('.') else {
                let example = learners.first().copied().unwrap_or("impute");
                return Err(Error::input(format!(
                    "--set {name}={value}: expected NAME.PARAM=VALUE, such as {example}.{name}={value}"
                )));
            };
            if learners.contains(&of) {
                settings.learners.push((of.to_owned(), param.to_owned(), value.clone()));
            } else if of == past_rows::NAME {
                past.push((param.to_owned(), value.clone()));
            } else if of == related_rows::NAME && self.join.is_some() {
                join.push((param.to_owned(), value.clone()));
            } else if TRANSFORMS.iter().any(|t| t.name == of) {
                settings.transforms.push((of.to_owned(), param.to_owned(), value.clone()));
            } else if !learners.is_empty() && CALIBRATORS.iter().any(|c| c.name == of) {
                settings.calibrators.push((of.to_owned(), param.to_owned(), value.clone()));
            } else if !learners.is_empty() && AUGMENTATIONS.iter().any(|a| a.name == of) {
                settings.augmentations.push((of.to_owned(), param.to_owned(), value.clone()));
            } else if !learners.is_empty() && ENSEMBLES.iter().any(|e| e.name == of) {
                settings.ensembles.push((of.to_owned(), param.to_owned(), value.clone()));
            } else if learners.is_empty() {
                let known = TRANSFORMS.iter().map(|t| t.name).collect::<Vec<_>>().join(", ");
                return Err(Error::input(format!(
                    "--set {name}={value}: no transform is called \"{of}\"; known: {known}"
                )));
            } else {
                let known = LEARNERS.iter().map(|l| l.name).collect::<Vec<_>>().join(", ");
                let these = learners.join(", ");
                return Err(Error::input(format!(
                    "--set {name}={value}: learner \"{of}\" is not among the learners of this run ({these}), and no transform is called so; known: {known}"
                )));
            }
        }
        settings.relations = RelationOptions {
            order: self.order.clone(),
            group: self.group.clone(),
            past,
            join: self.join.as_ref().map(|table| JoinOptions {
                table: table.clone(),
                on: both(self.on.as_deref().unwrap_or_default()),
                before: self.before.as_deref().map(both),
                by: self.by.clone(),
                settings: join,
            }),
        };
        Ok(settings)
    }

    /// The flags that say the same again.
    pub(crate) fn flags(&self, flag: &mut impl FnMut(&str, String)) {
        let names = self.transforms();
        if !names.is_empty() {
            flag("--transforms", names.join(","));
        }
        if self.duplicates == Duplicates::Drop {
            flag("--duplicates", "drop".to_owned());
        }
        match self.missing_cells {
            MissingCells::Leave => {}
            MissingCells::Impute => flag("--missing-cells", "impute".to_owned()),
            MissingCells::DropRows => flag("--missing-cells", "drop-rows".to_owned()),
            MissingCells::DropColumns(share) => flag("--missing-cells", format!("drop-columns:{share}")),
        }
        let relations = [
            ("--order", &self.order),
            ("--group", &self.group),
            ("--join", &self.join),
            ("--on", &self.on),
            ("--before", &self.before),
            ("--by", &self.by),
        ];
        for (name, value) in relations {
            if let Some(value) = value {
                flag(name, value.clone());
            }
        }
        for (name, value) in &self.set {
            flag("--set", format!("{name}={value}"));
        }
    }
}
