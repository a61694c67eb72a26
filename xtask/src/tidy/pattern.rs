//! Path patterns of `tidy.toml`: `*` stands for any characters inside one path part, `**` for any number of whole parts.
//!
//! Paths are relative to the root and use `/` on every system.

/// Whether `path` matches `pattern` as a whole.
pub(crate) fn matches(pattern: &str, path: &str) -> bool {
    let pattern: Vec<&str> = pattern.split('/').collect();
    let path: Vec<&str> = path.split('/').collect();
    parts_match(&pattern, &path)
}

/// Whether `path` matches any of `patterns`.
pub(crate) fn matches_any(patterns: &[String], path: &str) -> bool {
    patterns.iter().any(|pattern| matches(pattern, path))
}

fn parts_match(pattern: &[&str], path: &[&str]) -> bool {
    match pattern {
        [] => path.is_empty(),
        ["**", rest @ ..] => (0..=path.len()).any(|skipped| parts_match(rest, &path[skipped..])),
        [first, rest @ ..] => path
            .split_first()
            .is_some_and(|(part, tail)| part_matches(first, part) && parts_match(rest, tail)),
    }
}

fn part_matches(pattern: &str, part: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == part,
        Some((head, rest)) => part.strip_prefix(head).is_some_and(|tail| {
            tail.char_indices()
                .map(|(at, _)| at)
                .chain([tail.len()])
                .any(|at| part_matches(rest, &tail[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_stay_inside_a_part_and_double_stars_cross_parts() {
        for (pattern, path, expected) in [
            ("crates/*", "crates/ir", true),
            ("crates/*", "crates/ir/src", false),
            ("crates/*/src/lib.rs", "crates/ir/src/lib.rs", true),
            ("**/tests.rs", "tests.rs", true),
            ("**/tests.rs", "a/b/tests.rs", true),
            ("**/tests.rs", "a/b/my_tests.rs", false),
            ("**/tests/**", "a/tests/b/c.rs", true),
            ("**/tests/**", "a/contests/c.rs", false),
            ("a*b*c", "a_b_b_c", true),
            ("a*b*c", "a_c", false),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} on {path}");
        }
    }
}
