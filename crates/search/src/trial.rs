//! A trial: what is tried, and what came of it, as bytes that may travel to another machine.

use serde_json::{Map, Value, json};

/// What is tried.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trial {
    /// Name of the learner.
    pub learner: String,
    /// Its parameters, as a user writes them.
    pub settings: Vec<(String, String)>,
    /// Transforms before it, in order, as a user writes them.
    pub transforms: Vec<String>,
    /// How rows are added inside folds, as a user writes it; none are unless it is given.
    pub augment: Option<String>,
    /// What its scores are added to: a trial whose model is fitted first, and has none before it.
    pub onto: Option<Box<Trial>>,
    /// How it learns from a teacher, as the worker takes it; labels alone count unless it is given.
    pub taught: Option<String>,
    /// Whether it is tried for a teacher, whose size is not limited.
    pub for_teacher: bool,
    /// The errors above which the next rung is not worth it; `None`: all that follows is wanted.
    pub bars: Rungs,
    /// Whether one that is too large is not worth more than its first fold.
    pub is_sized: bool,
}

/// What is known, or wanted, on the rungs before all folds: a sample of the rows of the first fold, then all of them.
pub type Rungs = [Option<f64>; 2];

/// What came of a trial.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Error out of fold, less is better; `None` if it was stopped on a rung, failed, or is not defined.
    pub error: Option<f64>,
    /// Errors of the rungs; `None` where they are not defined or were not climbed.
    pub rungs: Rungs,
    /// Length of the file that a fit on the rows of a fold alone would have, where that is wanted.
    pub bytes: Option<u64>,
    /// Nanoseconds of a row that it would take, by a table of costs, where that is wanted.
    pub cost_ns: Option<f64>,
    /// By what share one of these is too much; 0 where none is.
    pub excess: f64,
    /// The largest share of what is allowed that one of these takes; `None` where nothing is limited, or not known.
    pub taken: Option<f64>,
    /// The share of the bytes that are allowed; `None` where they are not limited, or not known.
    pub bytes_taken: Option<f64>,
    /// Rounds that its fits had, on average; `None` for learners without rounds.
    pub rounds: Option<u32>,
    /// What it cost, counted, not measured: the same on any machine.
    pub work: f64,
    /// Seconds that it took.
    pub seconds: f64,
    /// Why it failed.
    pub failed: Option<String>,
    /// False if time ran out before all that was wanted was done: another run may come further.
    pub is_whole: bool,
}

impl Trial {
    /// As JSON.
    pub fn bytes(&self) -> Vec<u8> {
        self.json().to_string().into_bytes()
    }

    pub(crate) fn json(&self) -> Value {
        let settings: Map<String, Value> = self.settings.iter().map(|(n, v)| (n.clone(), json!(v))).collect();
        json!({
            "learner": self.learner,
            "settings": settings,
            "transforms": self.transforms,
            "augment": self.augment,
            "onto": self.onto.as_ref().map(|onto| onto.json()),
            "taught": self.taught,
            "for_teacher": self.for_teacher,
            "bars": self.bars,
            "sized": self.is_sized,
        })
    }

    /// From JSON; `None` for anything else.
    pub fn parse(bytes: &[u8]) -> Option<Trial> {
        Trial::of(&serde_json::from_slice(bytes).ok()?)
    }

    pub(crate) fn of(object: &Value) -> Option<Trial> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let settings = object["settings"].as_object()?.iter();
        Some(Trial {
            learner: text(&object["learner"])?,
            settings: settings.map(|(n, v)| Some((n.clone(), text(v)?))).collect::<Option<_>>()?,
            transforms: object["transforms"].as_array()?.iter().map(text).collect::<Option<_>>()?,
            augment: object["augment"].as_str().map(str::to_owned),
            onto: match &object["onto"] {
                Value::Null => None,
                onto => Some(Box::new(Trial::of(onto)?)),
            },
            taught: object["taught"].as_str().map(str::to_owned),
            for_teacher: object["for_teacher"].as_bool().unwrap_or(false),
            bars: rungs(&object["bars"]),
            is_sized: object["sized"].as_bool().unwrap_or(false),
        })
    }

    /// The trial without what others before it came to.
    pub fn without_bars(&self) -> Trial {
        Trial { bars: Rungs::default(), is_sized: false, ..self.clone() }
    }

    /// For people: `one_hot; taught near_swaps; logistic c=0.1`, or `gbdt onto (logistic)`.
    pub fn describe(&self) -> String {
        let settings = self.settings.iter().map(|(name, value)| format!(" {name}={value}"));
        let learner = std::iter::once(self.learner.clone()).chain(settings).collect::<String>();
        let taught = self.taught.iter().map(|how| format!("taught {how}"));
        let before = self.transforms.iter().chain(&self.augment).cloned();
        let own = before.chain(taught).chain([learner]).collect::<Vec<_>>().join("; ");
        match &self.onto {
            Some(onto) => format!("{own} onto ({})", onto.describe()),
            None => own,
        }
    }
}

fn rungs(values: &Value) -> Rungs {
    [0, 1].map(|at| values[at].as_f64())
}

/// An error is smaller if it is so by this share.
const BETTER: f64 = 1e-4;
/// One is clearly smaller in one fold if it is so by this share.
const CLEARLY: f64 = 0.03;

impl Outcome {
    /// True for one with an error that is smaller than that of `known`, if there is one. A trial that was cut off may have
    /// fewer folds, which are luckier or not: it is better than a whole one if it is clearly so in the first fold, whose
    /// rows both predicted. What is too large is better only if it is less so.
    pub fn is_better(&self, known: Option<&Outcome>) -> bool {
        let Some(error) = self.error else { return false };
        let Some((known, of_known)) = known.and_then(|known| Some((known, known.error?))) else {
            return true;
        };
        if self.excess > 0.0 || known.excess > 0.0 {
            return self.excess < known.excess;
        }
        let is_smaller = |error: f64, than: f64, share: f64| error < than - share * than.abs();
        let first = self.rungs[1].zip(known.rungs[1]);
        match (self.is_whole, known.is_whole) {
            (true, false) => !first.is_some_and(|(own, of_cut)| is_smaller(of_cut, own, CLEARLY)),
            (false, true) => first.is_some_and(|(own, of_whole)| is_smaller(own, of_whole, CLEARLY)),
            _ => is_smaller(error, of_known, BETTER),
        }
    }

    /// As JSON.
    pub fn bytes(&self) -> Vec<u8> {
        self.json().to_string().into_bytes()
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "error": self.error,
            "rungs": self.rungs,
            "bytes": self.bytes,
            "cost_ns": self.cost_ns,
            "excess": self.excess,
            "taken": self.taken,
            "bytes_taken": self.bytes_taken,
            "rounds": self.rounds,
            "work": self.work,
            "seconds": self.seconds,
            "failed": self.failed,
            "whole": self.is_whole,
        })
    }

    /// From JSON; `None` for anything else.
    pub fn parse(bytes: &[u8]) -> Option<Outcome> {
        Outcome::of(&serde_json::from_slice(bytes).ok()?)
    }

    pub(crate) fn of(object: &Value) -> Option<Outcome> {
        Some(Outcome {
            error: object["error"].as_f64(),
            rungs: rungs(&object["rungs"]),
            bytes: object["bytes"].as_u64(),
            cost_ns: object["cost_ns"].as_f64(),
            excess: object["excess"].as_f64()?,
            taken: object["taken"].as_f64(),
            bytes_taken: object["bytes_taken"].as_f64(),
            rounds: object["rounds"].as_u64().and_then(|rounds| u32::try_from(rounds).ok()),
            work: object["work"].as_f64()?,
            seconds: object["seconds"].as_f64()?,
            failed: object["failed"].as_str().map(str::to_owned),
            is_whole: object["whole"].as_bool()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_trials_come_first() {
        let outcome = |error: Option<f64>, is_whole| Outcome { error, is_whole, ..Outcome::default() };
        let first = |outcome: Outcome, error| Outcome { rungs: [None, Some(error)], ..outcome };
        let cases = [
            (outcome(Some(0.2), true), Some(outcome(Some(0.3), true)), true),
            (outcome(Some(0.299999), true), Some(outcome(Some(0.3), true)), false),
            (outcome(Some(0.1), false), Some(outcome(Some(0.3), true)), false),
            (outcome(Some(0.3), true), Some(outcome(Some(0.1), false)), true),
            (outcome(Some(0.1), false), Some(outcome(Some(0.3), false)), true),
            (outcome(Some(0.1), false), None, true),
            (outcome(None, true), None, false),
            (outcome(Some(0.1), false), Some(outcome(None, true)), true),
            // The first fold of both.
            (first(outcome(Some(0.1), false), 0.11), Some(first(outcome(Some(0.3), true), 0.31)), true),
            (first(outcome(Some(0.1), false), 0.32), Some(first(outcome(Some(0.3), true), 0.31)), false),
            (first(outcome(Some(0.1), false), 0.305), Some(first(outcome(Some(0.3), true), 0.31)), false),
            (first(outcome(Some(0.3), true), 0.31), Some(first(outcome(Some(0.1), false), 0.305)), true),
            (first(outcome(Some(0.3), true), 0.31), Some(first(outcome(Some(0.1), false), 0.11)), false),
            (first(outcome(Some(0.1), true), 0.2), Some(first(outcome(Some(0.3), false), 0.31)), true),
            (first(outcome(Some(0.1), false), 0.11), Some(outcome(Some(0.3), true)), false),
        ];
        let large = |excess, outcome| Outcome { excess, ..outcome };
        let sizes = [
            (large(0.1, outcome(Some(0.1), true)), Some(outcome(Some(0.3), true)), false),
            (outcome(Some(0.3), false), Some(large(0.1, outcome(Some(0.1), true))), true),
            (large(0.1, outcome(Some(0.3), true)), Some(large(0.2, outcome(Some(0.1), true))), true),
        ];
        for (at, (outcome, known, is_better)) in cases.into_iter().chain(sizes).enumerate() {
            assert_eq!(outcome.is_better(known.as_ref()), is_better, "case {at}");
        }
    }

    #[test]
    fn bytes_come_back() {
        let trial = Trial {
            learner: "gbdt".to_owned(),
            settings: vec![("max_leaves".to_owned(), "7".to_owned()), ("l2".to_owned(), "0.1".to_owned())],
            transforms: vec!["target_encode(a \"b\";c)".to_owned()],
            augment: Some("smote".to_owned()),
            onto: None,
            taught: Some("near_swaps of 7f".to_owned()),
            for_teacher: true,
            bars: [None, Some(0.1 + 0.2)],
            is_sized: true,
        };
        assert_eq!(Trial::parse(&trial.bytes()), Some(trial.clone()));
        assert_eq!(
            trial.describe(),
            "target_encode(a \"b\";c); smote; taught near_swaps of 7f; gbdt max_leaves=7 l2=0.1"
        );
        let plain = Trial { learner: "knn".to_owned(), ..Trial::default() };
        assert_eq!(Trial::parse(&plain.bytes()), Some(plain.clone()));
        let onto = Trial { onto: Some(Box::new(trial.clone())), ..plain.clone() };
        assert_eq!(Trial::parse(&onto.bytes()), Some(onto.clone()));
        assert_eq!(onto.describe(), format!("knn onto ({})", trial.describe()));
        assert_ne!(onto.bytes(), plain.bytes());
        let outcomes = [
            Outcome {
                error: Some(1.0 / 3.0),
                rungs: [Some(1e-300), None],
                bytes: Some(1 << 40),
                cost_ns: Some(0.1),
                excess: 0.1,
                taken: Some(1.1),
                bytes_taken: Some(0.7),
                rounds: Some(77),
                work: 12.5,
                seconds: 0.25,
                failed: None,
                is_whole: true,
            },
            Outcome { failed: Some("no \"rows\"".to_owned()), ..Outcome::default() },
        ];
        for outcome in outcomes {
            assert_eq!(Outcome::parse(&outcome.bytes()), Some(outcome));
        }
        let damaged = r#"{"learner":"knn","settings":{},"transforms":[],"onto":{}}"#;
        for bad in ["", "{}", "[]", "{\"learner\":1}", "null", damaged] {
            assert_eq!(Trial::parse(bad.as_bytes()), None, "{bad}");
            assert_eq!(Outcome::parse(bad.as_bytes()), None, "{bad}");
        }
    }
}
