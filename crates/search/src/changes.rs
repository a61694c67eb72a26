//! What may stand before a learner: preparations of the columns, and rows added inside folds.
//!
//! Each is tried once with the best settings that its learner has by then; one that is better stays. Which are worth a
//! trial hangs on what the table has and on what the learner takes.

use crate::trial::Trial;
use ir::Task;
use learn::LearnerEntry;

/// What a search knows of a table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Facts {
    /// What is answered.
    pub task: Task,
    /// Rows that are learnt from.
    pub n_rows: usize,
    /// Columns of numbers.
    pub n_numbers: usize,
    /// Columns of categories.
    pub n_categories: usize,
    /// Rows of the rarest class for each one of the most frequent; 1 for numbers.
    pub rare: f64,
}

/// A change of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Transforms before the learner.
    Prepare(&'static [&'static str]),
    /// An augmentation.
    Augment(&'static str),
}

/// Who takes a preparation.
#[derive(Clone, Copy, PartialEq)]
enum For {
    All,
    /// Learners of numbers as they are.
    Numbers,
}

/// A line: transforms, for whom, the fewest columns of numbers and of categories, the most rows.
type Line = (&'static [&'static str], For, (usize, usize), usize);

const PREPARATIONS: &[Line] = &[
    (&["construct"], For::All, (2, 0), 200_000),
    (&["splines"], For::Numbers, (1, 0), 100_000),
    (&["target_encode:keep=yes"], For::All, (0, 1), 1_000_000),
    (&["quantile_normal"], For::Numbers, (1, 0), 1_000_000),
    (&["construct", "quantile_normal"], For::Numbers, (2, 0), 100_000),
    (&["target_encode:keep=yes", "construct"], For::All, (1, 1), 100_000),
];

/// An augmentation, whether it answers numbers, whether it is for rare classes.
const AUGMENTATIONS: &[(&str, bool, bool)] = &[
    ("noise", true, false),
    ("mixup", true, false),
    ("oversample", false, true),
    ("smote", false, true),
    ("borderline_smote", false, true),
    ("adasyn", false, true),
];

/// A class is rare if it has fewer rows than this share of the most frequent one.
const RARE: f64 = 0.3;
/// Rows from which on there are enough without made ones.
const ENOUGH: usize = 20_000;

/// What may change before a learner, in the order in which it is tried.
pub(crate) fn changes(learner: &LearnerEntry, facts: &Facts) -> Vec<Change> {
    let fits = |(_, for_whom, (n_numbers, n_categories), most): &&Line| {
        facts.n_numbers >= *n_numbers
            && facts.n_categories >= *n_categories
            && facts.n_rows <= *most
            && (*for_whom == For::All || learner.takes.numbers)
    };
    let mut changes: Vec<Change> =
        PREPARATIONS.iter().filter(fits).map(|line| Change::Prepare(line.0)).collect();
    let has_classes = facts.task != Task::Regression;
    let helps = |(_, numbers, rare): &&(&str, bool, bool)| {
        (has_classes || *numbers) && (!*rare || facts.rare < RARE) && facts.n_rows <= ENOUGH
    };
    changes.extend(AUGMENTATIONS.iter().filter(helps).map(|line| Change::Augment(line.0)));
    changes
}

impl Change {
    /// The trial with the change.
    pub(crate) fn of(self, trial: &Trial) -> Trial {
        let mut changed = trial.without_bars();
        match self {
            Change::Prepare(steps) => changed.transforms = steps.iter().map(|s| (*s).to_owned()).collect(),
            Change::Augment(name) => changed.augment = Some(name.to_owned()),
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_has_a_name_that_is_known() {
        for step in PREPARATIONS.iter().flat_map(|line| line.0) {
            recipe::Step::parse(step, &[]).unwrap();
        }
        for (name, numbers, _) in AUGMENTATIONS {
            let entry = prepare::augment::augmentation(name).unwrap();
            assert_eq!(entry.tasks.contains(&Task::Regression), *numbers, "{name}");
        }
    }

    #[test]
    fn tables_and_learners_choose() {
        let facts = Facts { task: Task::Binary, n_rows: 900, n_numbers: 3, n_categories: 0, rare: 0.9 };
        let of = |name: &str, facts: Facts| changes(learn::learner(name).unwrap(), &facts);
        assert_eq!(
            of("gbdt", facts),
            [Change::Prepare(&["construct"]), Change::Augment("noise"), Change::Augment("mixup")]
        );
        assert!(of("logistic", facts).contains(&Change::Prepare(&["splines"])));
        let rare = Facts { rare: 0.02, ..facts };
        assert!(of("gbdt", rare).contains(&Change::Augment("smote")));
        let number = Facts { task: Task::Regression, rare: 1.0, ..facts };
        assert!(!of("gbdt", number).contains(&Change::Augment("smote")));
        let large = Facts { n_rows: 300_000, ..rare };
        assert_eq!(of("gbdt", large), []);
    }

    #[test]
    fn a_change_keeps_the_rest() {
        let settings = vec![("l2".to_owned(), "3".to_owned())];
        let trial = Trial { learner: "gbdt".to_owned(), settings, ..Trial::default() };
        let changed = Change::Augment("smote").of(&Change::Prepare(&["splines"]).of(&trial));
        assert_eq!(changed.describe(), "splines; smote; gbdt l2=3");
    }
}
