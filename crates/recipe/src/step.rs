//! Steps: the transforms of a recipe, in order, with their parameters.

use crate::error::{Error, Kind};
use ir::{ColumnKind, Input};
use learn::Takes;
use params::Params;
use prepare::transform::{FeatureKind, TransformEntry};

/// One transform of a recipe.
#[derive(Clone)]
pub struct Step {
    /// The transform.
    pub entry: &'static TransformEntry,
    /// Its parameters.
    pub params: Params,
    /// The columns that it is applied to, by name; all that it takes if `None`.
    pub columns: Option<Vec<String>>,
    /// True if nobody asked for it, so that it may find nothing to do.
    pub by_default: bool,
}

impl Step {
    /// A step as a user writes it: `standard`, `standard(age;income)` for some columns, and with parameters of its own
    /// `target_encode:keep=yes:smoothing=5(city)`; these come behind `settings`.
    ///
    /// # Errors
    /// An unknown transform or parameter, a value out of range.
    pub fn parse(text: &str, settings: &[(String, String)]) -> Result<Step, Error> {
        let form = |got| Error::from(Kind::StepForm { text: text.to_owned(), got });
        let (name, columns) = match text.split_once('(') {
            Some((name, rest)) => {
                let Some(columns) = rest.strip_suffix(')') else {
                    return Err(form("no closing parenthesis".to_owned()));
                };
                let columns = columns.split(';');
                (name.trim(), Some(columns.map(|c| c.trim().to_owned()).collect()))
            }
            None => (text.trim(), None),
        };
        let mut parts = name.split(':').map(str::trim);
        let entry = prepare::transform(parts.next().unwrap_or(name))?;
        let mut settings = settings.to_vec();
        for part in parts {
            let Some((name, value)) = part.split_once('=') else {
                return Err(form(format!("\"{part}\" without a value")));
            };
            settings.retain(|(known, _)| known != name.trim());
            settings.push((name.trim().to_owned(), value.trim().to_owned()));
        }
        Ok(Step { entry, params: entry.params(&settings)?, columns, by_default: false })
    }

    fn default_of(name: &str) -> Result<Step, Error> {
        Ok(Step { by_default: true, ..Step::parse(name, &[])? })
    }

    /// The transform and what was set, for the card.
    pub fn describe(&self) -> String {
        let columns = self.columns.as_ref().map(|c| format!("({})", c.join(";")));
        format!("{}{}", self.params.describe(), columns.unwrap_or_default())
    }

    /// The steps of a run: those asked for, and what the learner needs of kinds that it does not take.
    ///
    /// # Errors
    /// None that a user can cause.
    pub fn all(asked: &[Step], inputs: &[Input], takes: Takes) -> Result<Vec<Step>, Error> {
        let has = |kind| inputs.iter().any(|i| i.kind == kind);
        let is_taken = |kind| asked.iter().any(|s| s.entry.takes.contains(&kind));
        let mut steps = Vec::new();
        if has(ColumnKind::Time) && !is_taken(FeatureKind::Time) {
            steps.push(Step::default_of("time_parts")?);
        }
        steps.extend(asked.iter().cloned());
        // What steps for some columns leave over; a default step without a column does nothing.
        if has(ColumnKind::Time) && is_taken(FeatureKind::Time) {
            steps.push(Step::default_of("time_parts")?);
        }
        if has(ColumnKind::Text) && takes.bags {
            steps.push(Step::default_of("tf_idf")?);
        } else if has(ColumnKind::Text) {
            // Trees ask whether a term is there and how often: weights that only scale it would cost bytes.
            let plain = [("idf", "no"), ("norm", "none")].map(|(n, v)| (n.to_owned(), v.to_owned()));
            steps.push(Step { by_default: true, ..Step::parse("tf_idf", &plain)? });
        }
        if has(ColumnKind::Text) && !takes.bags {
            steps.push(Step::default_of("bag_columns")?);
        }
        Ok(steps)
    }
}
