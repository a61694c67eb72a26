//! Cases and expected values as `testdata/*.py` write them.

use std::collections::BTreeMap;

use smidgen_metrics::{Classified, ClassifiedParts, Observed, Probabilities, Regressed};

#[derive(Default)]
pub struct Case {
    pub name: String,
    pub n_classes: usize,
    pub positive: u32,
    pub labels: Vec<u32>,
    pub predicted: Vec<u32>,
    pub floats: BTreeMap<String, Vec<f64>>,
    pub expected: Vec<(String, f64)>,
}

impl Case {
    pub fn floats(&self, name: &str) -> &[f64] {
        self.floats.get(name).map_or(&[], Vec::as_slice)
    }

    pub fn observed(&self) -> Observed<'_> {
        let row_weights = self.floats.get("weights").map(Vec::as_slice);
        if self.n_classes == 0 {
            let rows = Regressed::try_new(self.floats("targets"), self.floats("predictions"), row_weights);
            return Observed::Regressed(rows.unwrap());
        }
        let parts = ClassifiedParts {
            labels: &self.labels,
            predicted: &self.predicted,
            probabilities: Probabilities::F64(self.floats("probabilities")),
            n_classes: self.n_classes,
            positive: Some(self.positive),
            row_weights,
        };
        Observed::Classified(Classified::try_new(parts).unwrap())
    }
}

fn classes(values: &str) -> Vec<u32> {
    values.split(' ').map(|value| value.parse().unwrap()).collect()
}

/// The cases of a file.
pub fn read(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, rest) = line.split_once(' ').unwrap();
        if key == "case" {
            cases.push(Case { name: rest.to_owned(), ..Case::default() });
            continue;
        }
        let case = cases.last_mut().unwrap();
        match key {
            "n_classes" => case.n_classes = rest.parse().unwrap(),
            "positive" => case.positive = rest.parse().unwrap(),
            "labels" => case.labels = classes(rest),
            "predicted" => case.predicted = classes(rest),
            "expect" => {
                let (name, value) = rest.split_once(' ').unwrap();
                case.expected.push((name.to_owned(), value.parse().unwrap()));
            }
            _ => {
                let values = rest.split(' ').map(|value| value.parse().unwrap()).collect();
                case.floats.insert(key.to_owned(), values);
            }
        }
    }
    cases
}
