//! Text to terms: runs of words or of characters, specified to the byte.
//!
//! A text is first parted into *pieces*; a term is a run of them. ASCII capitals may be folded (`A` to `Z`
//! become `a` to `z`); every other byte stays as it is, so nothing hangs on a version of Unicode.
//!
//! - A **word** is a longest run of ASCII letters, ASCII digits and bytes from 0x80 on, that is of every
//!   character beyond ASCII; all other bytes part words. A term of several words is the words with one blank
//!   (0x20) between each two.
//! - A **character** is one of UTF-8, of the text without blanks at both ends
//!   ([`super::category_key`]) and with each run of blanks inside as one 0x20. A term of several characters
//!   is the characters side by side; it never cuts one.

use super::{category_key, fnv1a32, is_blank};
use alloc::string::String;
use alloc::vec::Vec;

/// What a text is parted into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Analyzer {
    /// Words.
    Words,
    /// Characters.
    Chars,
}

impl Analyzer {
    /// Every member.
    pub const ALL: &'static [Analyzer] = &[Analyzer::Words, Analyzer::Chars];

    /// Name as printed and stored.
    pub fn name(self) -> &'static str {
        match self {
            Analyzer::Words => "words",
            Analyzer::Chars => "chars",
        }
    }

    /// The analyzer of a name.
    pub fn parse(name: &str) -> Option<Analyzer> {
        Analyzer::ALL.iter().copied().find(|a| a.name() == name)
    }
}

/// Most pieces of a term.
pub const MAX_NGRAM: u8 = 8;

/// Most bytes of a term of a vocabulary.
pub const MAX_TERM: usize = 256;

/// Most ids of a bag that text becomes.
pub const MAX_TERMS: usize = 1 << 20;

/// How a text becomes terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tokenizer {
    /// What the text is parted into.
    pub analyzer: Analyzer,
    /// Fewest pieces of a term, at least 1.
    pub ngram_min: u8,
    /// Most pieces of a term, at most [`MAX_NGRAM`].
    pub ngram_max: u8,
    /// Whether ASCII capitals count as small letters.
    pub fold_case: bool,
}

/// A parted text; made once and filled for each row.
#[derive(Clone, Debug, Default)]
pub struct Pieces {
    text: String,
    bounds: Vec<(usize, usize)>,
}

impl Tokenizer {
    /// Parts a text.
    pub fn part(self, text: &str, pieces: &mut Pieces) {
        let Pieces { text: out, bounds } = pieces;
        out.clear();
        bounds.clear();
        match self.analyzer {
            Analyzer::Words => {
                for word in words(text) {
                    if !out.is_empty() {
                        out.push(' ');
                    }
                    let start = out.len();
                    out.push_str(word);
                    bounds.push((start, out.len()));
                }
            }
            Analyzer::Chars => {
                let mut last_is_blank = false;
                for c in category_key(text).chars() {
                    let blank = is_blank(c);
                    if !(blank && last_is_blank) {
                        let start = out.len();
                        out.push(if blank { ' ' } else { c });
                        bounds.push((start, out.len()));
                    }
                    last_is_blank = blank;
                }
            }
        }
        if self.fold_case {
            out.make_ascii_lowercase();
        }
    }

    /// The terms of a parted text, each as often as it stands there: the shorter first, then by place.
    pub fn terms(self, pieces: &Pieces) -> impl Iterator<Item = &str> {
        let Pieces { text, bounds } = pieces;
        (self.ngram_min.max(1)..=self.ngram_max).flat_map(move |n| {
            let last = usize::from(n) - 1;
            bounds.windows(last + 1).filter_map(move |run| text.get(run[0].0..run[last].1))
        })
    }
}

/// The words of a text, in order.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty())
}

/// The id of a term without a vocabulary: the low `bits` of its FNV-1a 32.
pub fn hashed(term: &str, bits: u8) -> u32 {
    fnv1a32(term.as_bytes()) & (u32::MAX >> (32 - u32::from(bits.clamp(1, 32))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(analyzer: Analyzer, range: (u8, u8), fold_case: bool, text: &str) -> Vec<String> {
        let tokenizer = Tokenizer { analyzer, ngram_min: range.0, ngram_max: range.1, fold_case };
        let mut pieces = Pieces::default();
        // What an earlier text left behind must not show.
        tokenizer.part("left over \u{e9}", &mut pieces);
        tokenizer.part(text, &mut pieces);
        tokenizer.terms(&pieces).map(String::from).collect()
    }

    #[test]
    fn terms_by_hand() {
        let (words, chars) = (Analyzer::Words, Analyzer::Chars);
        type Case = (Analyzer, (u8, u8), bool, &'static str, &'static [&'static str]);
        let cases: &[Case] = &[
            (words, (1, 1), true, "The CAT, the-cat!", &["the", "cat", "the", "cat"]),
            (words, (1, 1), false, "The CAT", &["The", "CAT"]),
            (words, (1, 2), true, "a b\t\n c", &["a", "b", "c", "a b", "b c"]),
            (words, (3, 3), true, "a b c d", &["a b c", "b c d"]),
            (words, (2, 8), true, "alone", &[]),
            (words, (1, 1), true, "", &[]),
            (words, (1, 1), true, " ,;_ ", &[]),
            // An underscore parts words; what is beyond ASCII does not, and keeps its case.
            (words, (1, 1), true, "x_1 Öl\u{a0}naïve £5", &["x", "1", "Öl\u{a0}naïve", "£5"]),
            (chars, (1, 1), true, "Ab", &["a", "b"]),
            (chars, (2, 3), true, " aB \t\r\n c ", &["ab", "b ", " c", "ab ", "b c"]),
            (chars, (2, 2), false, "é€𝄞A", &["é€", "€𝄞", "𝄞A"]),
            (chars, (2, 8), true, "a", &[]),
            (chars, (1, 8), true, " \u{b}\u{c} ", &[]),
            (chars, (1, 1), true, "\u{a0}", &["\u{a0}"]),
        ];
        for &(analyzer, range, fold, text, expected) in cases {
            assert_eq!(terms(analyzer, range, fold, text), expected, "{analyzer:?} {range:?} {text:?}");
        }
    }

    #[test]
    fn a_range_that_no_operator_takes_gives_nothing() {
        assert!(terms(Analyzer::Words, (2, 1), true, "a b c").is_empty());
        assert_eq!(terms(Analyzer::Words, (0, 1), true, "a b"), ["a", "b"]);
    }

    /// # Source  The 32-bit test vectors of draft-eastlake-fnv: "" 811c9dc5, "a" e40c292c, "foobar" bf9cf968.
    #[test]
    fn hashed_ids() {
        for (term, whole) in [("", 0x811c_9dc5), ("a", 0xe40c_292c), ("foobar", 0xbf9c_f968_u32)] {
            assert_eq!(hashed(term, 32), whole);
            assert_eq!(hashed(term, 8), whole & 0xff);
            assert_eq!(hashed(term, 1), whole & 1);
            assert_eq!(hashed(term, 20), whole & 0xf_ffff);
        }
    }

    #[test]
    fn names_read_back() {
        for &analyzer in Analyzer::ALL {
            assert_eq!(Analyzer::parse(analyzer.name()), Some(analyzer));
        }
        assert_eq!(Analyzer::parse("Words"), None);
    }
}
