//! What is counted of a text.

use super::category_key;
use super::tokens::words;

/// A number that a text gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TextNumber {
    /// Characters of UTF-8.
    Characters,
    /// Words, as [`super::tokens`] has them.
    Words,
    /// Share of the characters that are `A` to `Z`.
    CapitalShare,
    /// Share of the characters that are `0` to `9`.
    DigitShare,
    /// Share of the characters that are ASCII punctuation.
    PunctuationShare,
}

impl TextNumber {
    /// Every member.
    pub const ALL: &'static [TextNumber] = &[
        TextNumber::Characters,
        TextNumber::Words,
        TextNumber::CapitalShare,
        TextNumber::DigitShare,
        TextNumber::PunctuationShare,
    ];

    /// Name as printed and stored.
    pub fn name(self) -> &'static str {
        match self {
            TextNumber::Characters => "characters",
            TextNumber::Words => "words",
            TextNumber::CapitalShare => "capital_share",
            TextNumber::DigitShare => "digit_share",
            TextNumber::PunctuationShare => "punctuation_share",
        }
    }

    /// The number of a name.
    pub fn parse(name: &str) -> Option<TextNumber> {
        TextNumber::ALL.iter().copied().find(|p| p.name() == name)
    }

    /// The number of a text, without blanks at both ends; a share of no character is 0.
    pub fn of(self, text: &str) -> f64 {
        let text = category_key(text);
        let share = |of: fn(&u8) -> bool| {
            let n = text.bytes().filter(of).count();
            if n == 0 { 0.0 } else { n as f64 / text.chars().count() as f64 }
        };
        match self {
            TextNumber::Characters => text.chars().count() as f64,
            TextNumber::Words => words(text).count() as f64,
            TextNumber::CapitalShare => share(u8::is_ascii_uppercase),
            TextNumber::DigitShare => share(u8::is_ascii_digit),
            TextNumber::PunctuationShare => share(u8::is_ascii_punctuation),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_by_hand() {
        let cases = [
            ("", [0.0; 5]),
            (" \t", [0.0; 5]),
            (" Win 2 NOW!! ", [11.0, 3.0, 4.0 / 11.0, 1.0 / 11.0, 2.0 / 11.0]),
            ("ÄÖ-é", [4.0, 2.0, 0.0, 0.0, 0.25]),
            ("A", [1.0, 1.0, 1.0, 0.0, 0.0]),
        ];
        for (text, expected) in cases {
            for (&number, expected) in TextNumber::ALL.iter().zip(expected) {
                assert_eq!(
                    number.of(text).to_bits(),
                    f64::to_bits(expected),
                    "{} of {text:?}",
                    number.name()
                );
            }
        }
        for &number in TextNumber::ALL {
            assert_eq!(TextNumber::parse(number.name()), Some(number));
        }
    }
}
