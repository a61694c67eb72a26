//! Rust source told apart into code, comments and literals, line by line.
//!
//! The rules ask three questions of a Rust file: what a line says as code (comments and the insides of literals blanked),
//! whether it counts as a line of code, and whether it belongs to tests.
//! A lexer for exactly that is far smaller than a parser, and needs no dependency.

/// What one line of a Rust file is.
pub(crate) struct Line {
    /// The line without comments; every character inside a literal is replaced by `~`.
    pub(crate) code: String,
    /// The line stands in an item under `#[cfg(test)]`.
    pub(crate) in_tests: bool,
}

impl Line {
    /// Neither blank nor only a comment.
    pub(crate) fn is_code(&self) -> bool {
        !self.code.trim().is_empty()
    }
}

/// The lines of `text`, in order.
pub(crate) fn lines(text: &str) -> Vec<Line> {
    let code = mask(text);
    let mut lines: Vec<Line> =
        code.lines().map(|line| Line { code: line.to_owned(), in_tests: false }).collect();
    for (from, to) in test_items(&code) {
        let first = code[..from].matches('\n').count();
        let n_lines = code[from..to].lines().count();
        for line in &mut lines[first..first + n_lines] {
            line.in_tests = true;
        }
    }
    lines
}

/// The text with comments blanked and the insides of literals replaced by `~`; line breaks stay where they are.
fn mask(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut masked = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let rest = &chars[at..];
        let after_name = at > 0 && is_name(chars[at - 1]);
        let (length, fill) = match rest {
            ['/', '/', ..] => (line_comment(rest), ' '),
            ['/', '*', ..] => (block_comment(rest), ' '),
            ['"', ..] => (quoted(rest, '"'), '~'),
            ['\'', ..] => (char_literal(rest), '~'),
            ['r', ..] if !after_name => (raw_string(rest, 1), '~'),
            ['b' | 'c', 'r', ..] if !after_name => (raw_string(rest, 2), '~'),
            _ => (0, ' '),
        };
        if length == 0 {
            masked.push(chars[at]);
            at += 1;
        } else {
            masked.extend(chars[at..at + length].iter().map(|&c| if c == '\n' { c } else { fill }));
            at += length;
        }
    }
    masked
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn line_comment(rest: &[char]) -> usize {
    rest.iter().position(|&c| c == '\n').unwrap_or(rest.len())
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// The length of a literal that opens and closes with `mark` and may escape it.
fn quoted(rest: &[char], mark: char) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            '\\' => at += 2,
            c if c == mark => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// The length of a character literal, or 0 if the quote opens a lifetime.
fn char_literal(rest: &[char]) -> usize {
    match rest {
        ['\'', '\\', ..] => quoted(rest, '\''),
        ['\'', _, '\'', ..] => 3,
        _ => 0,
    }
}

/// The length of a raw string whose hashes start after `prefix` characters, or 0 if there is none.
fn raw_string(rest: &[char], prefix: usize) -> usize {
    let hashes = rest[prefix..].iter().take_while(|&&c| c == '#').count();
    let open = prefix + hashes;
    if rest.get(open) != Some(&'"') {
        return 0;
    }
    let closes = |at: &usize| {
        rest[*at] == '"' && rest[at + 1..].iter().take(hashes).filter(|&&c| c == '#').count() == hashes
    };
    (open + 1..rest.len()).find(closes).map_or(rest.len(), |at| at + 1 + hashes)
}

/// Byte ranges (start, end) of the items under `#[cfg(test)]` in masked code.
fn test_items(code: &str) -> Vec<(usize, usize)> {
    let mut items = Vec::new();
    let mut from = 0;
    let next = |from: usize| {
        let marks = ["#[cfg(test)]", "#[cfg(all(test"];
        marks.iter().filter_map(|mark| code[from..].find(mark)).min().map(|found| from + found)
    };
    while let Some(start) = next(from) {
        from = end_of_item(code, start);
        items.push((start, from));
    }
    items
}

/// The end of the item that starts at `start`: behind its closing brace, or behind the semicolon if it has no body.
fn end_of_item(code: &str, start: usize) -> usize {
    let (mut braces, mut others) = (0_usize, 0_usize);
    for (at, byte) in code.bytes().enumerate().skip(start) {
        match byte {
            b'(' | b'[' => others += 1,
            b')' | b']' => others = others.saturating_sub(1),
            b'{' => braces += 1,
            b'}' if braces <= 1 => return at + 1,
            b'}' => braces -= 1,
            b';' if braces == 0 && others == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::lines;

    /// The numbers of the lines that count as code outside tests.
    fn code_lines(text: &str) -> Vec<usize> {
        let counts = |line: &super::Line| line.is_code() && !line.in_tests;
        lines(text).iter().enumerate().filter(|(_, line)| counts(line)).map(|(at, _)| at + 1).collect()
    }

    #[test]
    fn comments_and_blanks_are_no_code() {
        assert_eq!(code_lines("//! doc\n\nfn a() {} // why\n/* one\n/* two */ three */\nlet b;\n"), [3, 6]);
    }

    #[test]
    fn literals_hide_what_looks_like_code_or_comment() {
        let text = "let a = \"// no\";\nlet b = r#\"\n/* \" \"#;\nlet c = '\"';\nlet d: &'a str = \"\\\"/*\";\nlet e = b'\\'';\nlet r#type = 1;\n";
        assert_eq!(code_lines(text), [1, 2, 3, 4, 5, 6, 7]);
        assert!(!lines("let a = \"#[cfg(test)]\";")[0].in_tests);
    }

    #[test]
    fn test_items_end_at_their_brace_or_semicolon() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests;\nfn b() {}\n#[cfg(test)]\nmod more {\n  fn c() { let s = \"}\"; }\n}\nfn d() {}\n";
        assert_eq!(code_lines(text), [1, 4, 9]);
    }

    #[test]
    fn a_semicolon_inside_brackets_ends_no_item() {
        assert_eq!(code_lines("#[cfg(test)]\nfn a(b: [u8; 3]) {\n  c();\n}\nfn d() {}\n"), [5]);
    }

    #[test]
    fn an_unclosed_test_item_reaches_the_end() {
        assert_eq!(code_lines("fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() {"), [1]);
    }
}
