//! `text_numbers`: text to its length and the shares of capitals, digits and punctuation.

use crate::error::Error;
use crate::transform::{FeatureKind, FittedStep, Group, Lower};
use crate::transform::{StepInput, Transform, TransformEntry};
use ir::op::TextPart;
use ir::text::parts::TextNumber;
use ir::{GraphBuilder, Op, ValueIdx};
use params::Params;

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "text_numbers",
    doc: "text to its length in characters and words, and the shares of capitals, digits and punctuation",
    takes: &[FeatureKind::Text],
    sees_target: false,
    cleans: false,
    spec: &[],
    transform: &TextNumbers,
};

/// Characters, words, and the shares of the characters that are `A` to `Z`, `0` to `9` or ASCII punctuation,
/// of the text without blanks at both ends; a share of no character is 0. Of these, the numbers that take
/// two values or more in the rows to learn from are made; a column without one is kept. Missing stays
/// missing. O(bytes of text).
struct TextNumbers;

impl Transform for TextNumbers {
    fn fit(&self, input: &StepInput<'_>, _: &Params) -> Result<FittedStep, Error> {
        let mut step = FittedStep::default();
        for (at, column) in input.columns.iter().enumerate() {
            let texts = input.texts(at);
            let before = step.groups.len();
            for &part in TextNumber::ALL {
                let mut values = texts.iter().flatten().map(|text| part.of(text));
                let first = values.next();
                if values.any(|v| Some(v) != first) {
                    let name = format!("{} of \"{}\"", part.name(), column.name);
                    step.groups.push(Group::number(vec![at], name, TextPart { part }));
                }
            }
            if step.groups.len() == before {
                step.kept.push(at);
            }
        }
        Ok(step)
    }
}

impl Lower for TextPart {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, ir::Error> {
        builder.node(Op::TextPart(*self), columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::table::{Cell, Table};

    fn table(texts: &[&str]) -> Table {
        Table::new(&[("note", FeatureKind::Text, Cell::texts(texts))])
    }

    #[test]
    fn numbers_that_vary_are_made() {
        let fitted = table(&["Go NOW!", "", "go now 24"]).fit(&ENTRY, &[]);
        let names = ["characters", "words", "capital_share", "digit_share", "punctuation_share"];
        assert_eq!(fitted.names, names.map(|n| format!("{n} of \"note\"")));
        let got = fitted.run(&table(&["Go NOW!", "", "go now 24", "\u{e9}A"]));
        let expected = [
            [7.0, f64::NAN, 9.0, 2.0],
            [2.0, f64::NAN, 3.0, 1.0],
            [4.0 / 7.0, f64::NAN, 0.0, 0.5],
            [0.0, f64::NAN, 2.0 / 9.0, 0.0],
            [1.0 / 7.0, f64::NAN, 0.0, 0.0],
        ];
        for (name, (got, expected)) in names.iter().zip(got.iter().zip(expected)) {
            let same = |(a, b): (&f64, &f64)| a == b || (a.is_nan() && b.is_nan());
            assert!(got.iter().zip(&expected).all(same), "{name}: {got:?}");
        }
    }

    #[test]
    fn what_does_not_vary_is_left_out() {
        // As many characters, one word, no digit; capitals and punctuation differ.
        let fitted = table(&["ABc", "a.c"]).fit(&ENTRY, &[]);
        let names = ["words", "capital_share", "punctuation_share"].map(|n| format!("{n} of \"note\""));
        assert_eq!((fitted.names.as_slice(), fitted.kept.len()), (&names[..], 0));
        for same in [&["one", "two"][..], &["", ""]] {
            let fitted = table(same).fit(&ENTRY, &[]);
            assert_eq!((fitted.names.len(), &fitted.kept[..]), (0, &["note".to_owned()][..]));
        }
    }
}
