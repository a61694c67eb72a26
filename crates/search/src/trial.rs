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
    /// The error of the first fold above which the others are not worth it; `None`: all folds are wanted.
    pub bar: Option<f64>,
}

/// What came of a trial.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Error out of fold, less is better; `None` if it was stopped behind the first fold, failed, or is not defined.
    pub error: Option<f64>,
    /// Error of the first fold; `None` where it is not defined.
    pub first: Option<f64>,
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
            "bar": self.bar,
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
            bar: object["bar"].as_f64(),
        })
    }

    /// For people: `one_hot; logistic c=0.1`.
    pub fn describe(&self) -> String {
        let settings = self.settings.iter().map(|(name, value)| format!(" {name}={value}"));
        let learner = std::iter::once(self.learner.clone()).chain(settings).collect::<String>();
        self.transforms.iter().cloned().chain([learner]).collect::<Vec<_>>().join("; ")
    }
}

/// An error is smaller if it is so by this share.
const BETTER: f64 = 1e-4;

impl Outcome {
    /// True for one with an error that is smaller than that of `known`, if there is one. A trial that was cut off says less
    /// than any whole one: fewer folds are luckier.
    pub fn is_better(&self, known: Option<&Outcome>) -> bool {
        let Some(error) = self.error else { return false };
        match known.and_then(|known| Some((known.error?, known.is_whole))) {
            Some((_, was_whole)) if was_whole != self.is_whole => self.is_whole,
            Some((known, _)) => error < known - BETTER * known.abs(),
            None => true,
        }
    }

    /// As JSON.
    pub fn bytes(&self) -> Vec<u8> {
        self.json().to_string().into_bytes()
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "error": self.error,
            "first": self.first,
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
            first: object["first"].as_f64(),
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
        let cases = [
            (outcome(Some(0.2), true), Some(outcome(Some(0.3), true)), true),
            (outcome(Some(0.299999), true), Some(outcome(Some(0.3), true)), false),
            (outcome(Some(0.1), false), Some(outcome(Some(0.3), true)), false),
            (outcome(Some(0.3), true), Some(outcome(Some(0.1), false)), true),
            (outcome(Some(0.1), false), Some(outcome(Some(0.3), false)), true),
            (outcome(Some(0.1), false), None, true),
            (outcome(None, true), None, false),
            (outcome(Some(0.1), false), Some(outcome(None, true)), true),
        ];
        for (at, (outcome, known, is_better)) in cases.into_iter().enumerate() {
            assert_eq!(outcome.is_better(known.as_ref()), is_better, "case {at}");
        }
    }

    #[test]
    fn bytes_come_back() {
        let trial = Trial {
            learner: "gbdt".to_owned(),
            settings: vec![("max_leaves".to_owned(), "7".to_owned()), ("l2".to_owned(), "0.1".to_owned())],
            transforms: vec!["target_encode(a \"b\";c)".to_owned()],
            bar: Some(0.1 + 0.2),
        };
        assert_eq!(Trial::parse(&trial.bytes()), Some(trial.clone()));
        assert_eq!(trial.describe(), "target_encode(a \"b\";c); gbdt max_leaves=7 l2=0.1");
        let plain = Trial { learner: "knn".to_owned(), ..Trial::default() };
        assert_eq!(Trial::parse(&plain.bytes()), Some(plain));
        let outcomes = [
            Outcome {
                error: Some(1.0 / 3.0),
                first: Some(1e-300),
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
        for bad in ["", "{}", "[]", "{\"learner\":1}", "null"] {
            assert_eq!(Trial::parse(bad.as_bytes()), None, "{bad}");
            assert_eq!(Outcome::parse(bad.as_bytes()), None, "{bad}");
        }
    }
}
