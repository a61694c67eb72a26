//! Points in time written as text to microseconds, by the operators on text of opset 20, exact.
//!
//! A regular expression says which texts the format reads; others are missing. Those that it reads are parted at each
//! literal of the pattern in turn, and the parts become whole numbers. Behind the rows stands one more text of the format,
//! so that parting finds all parts even where there is no row; it is cut off in the end.

use super::step::Step;
use super::times::Whole;
use crate::writer::Attribute;
use ir::DType;
use ir::text::time::TimeFormat;

/// Microseconds since 1970, `int64 [N]`, and where a text was read, `bool [N]`; both in the writer's memory, since a column
/// often has many parts.
pub(super) fn read(s: &mut Step<'_>, x: &str, format: TimeFormat) -> (String, String) {
    let key = (x.to_string(), format.tag());
    if let Some(known) = s.w.times_read.get(&key) {
        return known.clone();
    }
    s.w.needs_text_operators = true;
    let pattern = format.pattern();
    let matches = s.w.with("RegexFullMatch", &[x], vec![("pattern", Attribute::Text(expression(pattern)))]);
    let usual = s.w.texts(&[1], &[usual_text(pattern)]);
    let readable = s.w.op("Where", &[&matches, x, &usual]);
    let all = s.w.with("Concat", &[&readable, &usual], vec![("axis", Attribute::Int(0))]);
    let fields = Fields::of(s, &all, pattern);
    let (micros, exists) = fields.moment(s);
    let (from, to) = (s.w.ints(&[1], &[0]), s.w.ints(&[1], &[-1]));
    let micros = s.w.op("Slice", &[&micros, &from, &to]);
    let exists = s.w.op("Slice", &[&exists, &from, &to]);
    let is_read = s.w.op("And", &[&matches, &exists]);
    s.w.times_read.insert(key, (micros.clone(), is_read.clone()));
    (micros, is_read)
}

const MONTHS: [&str; 12] = [
    "jan(uary)?",
    "feb(ruary)?",
    "mar(ch)?",
    "apr(il)?",
    "may",
    "june?",
    "july?",
    "aug(ust)?",
    "sep(tember)?",
    "oct(ober)?",
    "nov(ember)?",
    "dec(ember)?",
];

/// What the format reads, but for days that a month has not.
fn expression(pattern: &str) -> String {
    let mut out = String::new();
    for token in pattern.chars() {
        match token {
            'Y' => out.push_str("[0-9]{4}"),
            'y' => out.push_str("[0-9]{2}"),
            'm' => out.push_str("(0?[1-9]|1[0-2])"),
            'd' => out.push_str("(0?[1-9]|[12][0-9]|3[01])"),
            'H' => out.push_str("([01]?[0-9]|2[0-3])"),
            'M' | 'S' => out.push_str("[0-5]?[0-9]"),
            'b' => {
                out.push_str("(?i:");
                out.push_str(&MONTHS.join("|"));
                out.push(')');
            }
            'f' => out.push_str("([.,][0-9]{1,9})?"),
            'z' => out.push_str("([Zz]|[+-]([01][0-9]|2[0-3]):?([0-5][0-9])?)?"),
            '.' => out.push_str("[.]"),
            literal => out.push(literal),
        }
    }
    out
}

/// A text of the format, without what may be left out at its end.
fn usual_text(pattern: &str) -> String {
    let spelt = |token| match token {
        'Y' => "1970".to_string(),
        'y' => "70".to_string(),
        'b' => "Jan".to_string(),
        'm' | 'd' => "01".to_string(),
        'H' | 'M' | 'S' => "00".to_string(),
        'f' | 'z' => String::new(),
        literal => literal.to_string(),
    };
    pattern.chars().map(spelt).collect()
}

/// The parts of a point in time, `int64`, each with what it is where the pattern does not say.
struct Fields {
    year: String,
    month: String,
    day: String,
    /// Microseconds of the day; a zone may lead out of it.
    micros: String,
}

impl Fields {
    fn of(s: &mut Step<'_>, texts: &str, pattern: &str) -> Fields {
        let [nought, one, year] = [0, 1, 1970].map(|v| s.w.int(v));
        // As many as there are rows.
        let mut fields = Fields { year, month: one.clone(), day: one, micros: nought };
        let mut rest = texts.to_string();
        let tokens: Vec<char> = pattern.chars().collect();
        for (at, &token) in tokens.iter().enumerate() {
            let is_field = |t: &char| "YymdbHMSfz".contains(*t);
            if !is_field(&token) {
                continue;
            }
            // Fraction and zone stand behind the seconds without a literal between them.
            if matches!(token, 'f' | 'z') {
                continue;
            }
            let has_end = tokens.get(at + 1).is_some_and(|t| matches!(t, 'f' | 'z'));
            let mut part = None;
            for &literal in tokens[at + 1..].iter().take_while(|t| !is_field(t)) {
                let (before, behind) = split(s, &rest, &literal.to_string());
                part.get_or_insert(before);
                rest = behind;
            }
            let mut part = part.unwrap_or_else(|| rest.clone());
            let end = if has_end { Some(End::of(s, &mut part)) } else { None };
            fields.take(s, token, &part);
            if let Some(end) = end {
                fields.micros = s.w.op("Add", &[&fields.micros, &end.micros]);
            }
        }
        fields
    }

    /// Takes a part in.
    fn take(&mut self, s: &mut Step<'_>, token: char, part: &str) {
        if token == 'b' {
            self.month = month(s, part);
            return;
        }
        let number = s.w.cast(part, DType::I64);
        let mut add = |s: &mut Step<'_>, unit: i64| {
            let unit = s.w.int(unit);
            let micros = s.w.op("Mul", &[&number, &unit]);
            self.micros = s.w.op("Add", &[&self.micros, &micros]);
        };
        match token {
            'H' => add(s, 3_600_000_000),
            'M' => add(s, 60_000_000),
            'S' => add(s, 1_000_000),
            'm' => self.month = number,
            'd' => self.day = number,
            'y' => {
                let [limit, early, late] = [69, 1900, 2000].map(|v| s.w.int(v));
                let is_early = s.w.op("GreaterOrEqual", &[&number, &limit]);
                let century = s.w.op("Where", &[&is_early, &early, &late]);
                self.year = s.w.op("Add", &[&number, &century]);
            }
            _ => self.year = number,
        }
    }

    /// The moment, and whether its day exists.
    /// # Source  As [`ir::text::time::days_from_civil`].
    fn moment(&self, s: &mut Step<'_>) -> (String, String) {
        let mut w = Whole { s };
        let is_early = w.at_most(&self.month, 2);
        let y = w.less(&self.year, &is_early);
        let (era, of_era) = (w.over(&y, 400), w.modulo(&y, 400));
        let from_march = w.plus(&self.month, 9);
        let from_march = w.modulo(&from_march, 12);
        let of_year = w.times(&from_march, 153);
        let of_year = w.plus(&of_year, 2);
        let of_year = w.over(&of_year, 5);
        let of_year = w.sum(&of_year, &self.day);
        // era 146097 + of_era 365 + of_era / 4 - of_era / 100 + of_year - 1 - 719468
        let days = w.times(&era, 146_097);
        let more = w.times(&of_era, 365);
        let days = w.sum(&days, &more);
        let more = w.over(&of_era, 4);
        let days = w.sum(&days, &more);
        let less = w.over(&of_era, 100);
        let days = w.less(&days, &less);
        let days = w.sum(&days, &of_year);
        let days = w.plus(&days, -719_469);
        let micros = w.times(&days, 86_400_000_000);
        let micros = w.sum(&micros, &self.micros);

        let lengths = w.s.w.ints(&[13], &[0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]);
        let length = w.s.w.gather(&lengths, &self.month, 0);
        let (two, leap) = (w.s.w.int(2), super::times::leap_day(&mut w, &self.year));
        let is_february = w.s.w.op("Equal", &[&self.month, &two]);
        let is_february = w.s.w.cast(&is_february, DType::I64);
        let more = w.s.w.op("Mul", &[&is_february, &leap]);
        let length = w.sum(&length, &more);
        let exists = w.s.w.op("LessOrEqual", &[&self.day, &length]);
        // A pattern without a date has one day; its moments have as many rows as its texts.
        let none = w.less(&micros, &micros);
        let has_rows = w.s.w.op("Equal", &[&none, &none]);
        (micros, w.s.w.op("And", &[&exists, &has_rows]))
    }
}

/// The text before the first `literal`, and behind it; empty where there is none.
fn split(s: &mut Step<'_>, x: &str, literal: &str) -> (String, String) {
    let attributes =
        vec![("delimiter", Attribute::Text(literal.to_string())), ("maxsplit", Attribute::Int(1))];
    let (parts, _) = s.w.pair("StringSplit", &[x], attributes);
    let (first, second) = (s.w.int(0), s.w.int(1));
    (s.w.gather(&parts, &first, 1), s.w.gather(&parts, &second, 1))
}

/// The number of a month's name, in English.
fn month(s: &mut Step<'_>, name: &str) -> String {
    let mut sum = s.w.int(0);
    for (number, month) in (1..).zip(MONTHS) {
        let pattern = format!("(?i:{month})");
        let is = s.w.with("RegexFullMatch", &[name], vec![("pattern", Attribute::Text(pattern))]);
        let is = s.w.cast(&is, DType::I64);
        let number = s.w.int(number);
        let number = s.w.op("Mul", &[&is, &number]);
        sum = s.w.op("Add", &[&sum, &number]);
    }
    sum
}

/// What stands behind the seconds: microseconds of a fraction, less those of a zone east of UTC.
struct End {
    micros: String,
}

impl End {
    /// Takes the end off the text of the seconds.
    fn of(s: &mut Step<'_>, text: &mut String) -> End {
        let mut cut = |s: &mut Step<'_>, literal: &str| {
            let (before, behind) = split_or_all(s, text, literal);
            *text = before;
            behind
        };
        for zulu in ["Z", "z"] {
            cut(s, zulu);
        }
        let (east, west) = (cut(s, "+"), cut(s, "-"));
        let fractions = [cut(s, "."), cut(s, ",")];
        let (east, west) = (zone(s, &east), zone(s, &west));
        let mut micros = s.w.op("Sub", &[&west, &east]);
        for fraction in fractions {
            let fraction = micros_of(s, &fraction);
            micros = s.w.op("Add", &[&micros, &fraction]);
        }
        End { micros }
    }
}

/// As [`split`], where texts may not have the literal: it is put behind each, and taken off what stood behind it.
fn split_or_all(s: &mut Step<'_>, x: &str, literal: &str) -> (String, String) {
    let mark = s.w.texts(&[], &[literal.to_string()]);
    let marked = s.w.op("StringConcat", &[x, &mark]);
    let (before, behind) = split(s, &marked, literal);
    let again = s.w.op("StringConcat", &[&behind, &mark]);
    let (behind, _) = split(s, &again, literal);
    (before, behind)
}

/// A text of digits, or none, as a number.
fn whole(s: &mut Step<'_>, digits: &str) -> String {
    let zero = s.w.texts(&[], &["0".to_string()]);
    let digits = s.w.op("StringConcat", &[&zero, digits]);
    s.w.cast(&digits, DType::I64)
}

/// Microseconds of `hh`, `hh:`, `hh:mm`, `hhmm` or nothing.
fn zone(s: &mut Step<'_>, text: &str) -> String {
    let (first, second) = split_or_all(s, text, ":");
    let four = vec![("pattern", Attribute::Text("[0-9]{4}".to_string()))];
    let is_long = s.w.with("RegexFullMatch", &[&first], four);
    let (first, second) = (whole(s, &first), whole(s, &second));
    let mut w = Whole { s };
    let (hours, minutes) = (w.over(&first, 100), w.modulo(&first, 100));
    let hours = w.s.w.op("Where", &[&is_long, &hours, &first]);
    let minutes = w.s.w.op("Where", &[&is_long, &minutes, &second]);
    let hours = w.times(&hours, 60);
    let minutes = w.sum(&hours, &minutes);
    w.times(&minutes, 60_000_000)
}

/// Microseconds of the digits of a fraction; those beyond the sixth are dropped.
fn micros_of(s: &mut Step<'_>, digits: &str) -> String {
    let zeros = s.w.texts(&[], &["000000".to_string()]);
    let long = s.w.op("StringConcat", &[digits, &zeros]);
    let long = s.w.cast(&long, DType::I64);
    let mut divisor = s.w.int(1);
    for n in 1..=9 {
        let at_least = vec![("pattern", Attribute::Text(format!("[0-9]{{{n},}}")))];
        let is = s.w.with("RegexFullMatch", &[digits], at_least);
        let (one, ten) = (s.w.int(1), s.w.int(10));
        let factor = s.w.op("Where", &[&is, &ten, &one]);
        divisor = s.w.op("Mul", &[&divisor, &factor]);
    }
    s.w.floor_divide(&long, &divisor)
}
