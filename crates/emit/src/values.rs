//! Constants as both languages write them.

/// Values with a comma behind each, in lines of at most 111 characters, the first on a line of its own.
pub(crate) fn in_lines(out: &mut String, values: &[String]) {
    let mut width = usize::MAX;
    for value in values {
        if width.saturating_add(value.len()) > 110 {
            out.push_str("\n    ");
            width = 4;
        } else {
            out.push(' ');
            width += 1;
        }
        out.push_str(value);
        out.push(',');
        width += value.len() + 1;
    }
}

/// A whole double that decimal digits say shortly and to the bit; -0 is none.
pub(crate) fn short_double(x: f64) -> Option<String> {
    let is_short = x == x.trunc() && x.abs() < 1e15 && (x != 0.0 || x.is_sign_positive());
    is_short.then(|| format!("{x:.1}"))
}
