//! The most alike name, for `did you mean`.

/// The candidate most like `name`, or `None` if none is alike.
/// The measure is the number of characters inserted, removed, replaced or swapped with their
/// neighbour, upper and lower case being alike; at most a third of the longer name may differ
/// (one character in names of up to three). The first of several equal ones is taken.
/// O(length of `name` * length of all candidates).
/// # Source  optimal string alignment: Boytsov, ACM JEA 16, 2011, section 2.2.
pub fn nearest<'a, I>(name: &str, candidates: I) -> Option<&'a str>
where
    I: IntoIterator<Item = &'a str>,
{
    let wanted = fold(name);
    let mut best: Option<(usize, &'a str)> = None;
    for candidate in candidates {
        let given = fold(candidate);
        let allowed = (wanted.len().max(given.len()) / 3).max(1);
        if wanted.len().abs_diff(given.len()) > allowed {
            continue;
        }
        let distance = distance(&wanted, &given);
        if distance <= allowed && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Lower case, with blanks and joining marks alike.
fn fold(name: &str) -> Vec<char> {
    name.chars()
        .flat_map(char::to_lowercase)
        .map(|c| if matches!(c, ' ' | '-' | '.') { '_' } else { c })
        .collect()
}

fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, &x) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(last.len());
        row.push(i + 1);
        for (j, &y) in b.iter().enumerate() {
            let mut least = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && x == b[j - 1] && a[i - 1] == y {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_most_alike() {
        let names = ["income", "age", "hours_per_week", "x1", "x2"];
        for (name, expected) in [
            ("incme", Some("income")),
            ("Income", Some("income")),
            ("icnome", Some("income")),
            ("hours-per-week", Some("hours_per_week")),
            ("ag", Some("age")),
            ("x3", Some("x1")),
            ("zebra", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, names), expected, "{name}");
        }
        assert_eq!(nearest("a", []), None);
    }
}
