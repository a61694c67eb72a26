//! Values of arguments: times, sizes, lists.

use smidgen::MaxDrop;
use std::time::Duration;

/// A time: `90`, `90s`, `10m`, `2h`.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    let (number, factor) = match text.char_indices().last() {
        Some((i, 's')) => (&text[..i], 1.0),
        Some((i, 'm')) => (&text[..i], 60.0),
        Some((i, 'h')) => (&text[..i], 3600.0),
        _ => (text, 1.0),
    };
    let seconds =
        number.parse::<f64>().ok().map(|n| n * factor).filter(|s| (0.0..=1e9).contains(s) && *s > 0.0);
    seconds
        .map(Duration::from_secs_f64)
        .ok_or_else(|| format!("expected a time such as 90s, 10m or 2h, got \"{text}\""))
}

/// A size: `1 kB = 1000 B`, `1 KiB = 1024 B`.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    let units = [
        ("KiB", 1024.0),
        ("MiB", 1_048_576.0),
        ("GiB", 1_073_741_824.0),
        ("kB", 1e3),
        ("MB", 1e6),
        ("GB", 1e9),
        ("B", 1.0),
    ];
    let found = units.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)));
    let (number, factor) = found.unwrap_or((text, &1.0));
    let size = number.trim().parse::<f64>().ok().map(|n| n * factor).filter(|n| (0.0..=1e18).contains(n));
    size.map(|n| n as u64).ok_or_else(|| format!("expected a size such as 100kB or 64KiB, got \"{text}\""))
}

/// A number that other numbers can be compared with.
pub(crate) fn finite(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|n| n.is_finite());
    number.ok_or_else(|| format!("expected a number, got \"{text}\""))
}

/// What may be lost: `0.5%` or `0.005`.
pub(crate) fn max_drop(text: &str) -> Result<MaxDrop, String> {
    let read = |text: &str| finite(text).ok().filter(|v| *v >= 0.0);
    let found = match text.strip_suffix('%') {
        Some(share) => read(share).map(|v| MaxDrop::Relative(v / 100.0)),
        None => read(text).map(MaxDrop::Absolute),
    };
    found
        .ok_or_else(|| format!("expected a share such as 0.5% or a difference such as 0.005, got \"{text}\""))
}

/// `utf-8` or `latin-1`.
pub(crate) fn encoding(text: &str) -> Result<smidgen::Encoding, String> {
    let known = || smidgen::Encoding::ALL.iter().map(|e| e.name()).collect::<Vec<_>>().join(" or ");
    smidgen::Encoding::parse(text).ok_or_else(|| format!("expected {}, got \"{text}\"", known()))
}

/// `nchw` or `nhwc`.
pub(crate) fn layout(text: &str) -> Result<smidgen::Layout, String> {
    match text {
        "nchw" => Ok(smidgen::Layout::Nchw),
        "nhwc" => Ok(smidgen::Layout::Nhwc),
        _ => Err(format!("expected nchw or nhwc, got \"{text}\"")),
    }
}

/// `NAME=VALUE`.
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => {
            Ok((name.trim().into(), value.trim().into()))
        }
        _ => Err(format!("expected NAME=VALUE, got \"{text}\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes() {
        for (text, seconds) in [("90", 90.0), ("90s", 90.0), ("10m", 600.0), ("2h", 7200.0), ("0.5s", 0.5)] {
            assert_eq!(time(text).unwrap().as_secs_f64(), seconds, "{text}");
        }
        for text in ["", "x", "-1", "0", "5d", "nan", "é"] {
            assert!(time(text).is_err(), "{text}");
        }
        for (text, size) in [("100kB", 100_000), ("64KiB", 65_536), ("7", 7), ("2MB", 2_000_000), ("3 B", 3)]
        {
            assert_eq!(bytes(text).unwrap(), size, "{text}");
        }
        assert!(bytes("many").is_err());
        assert_eq!(finite("-0.5").unwrap(), -0.5);
        assert!(finite("nan").is_err() && finite("inf").is_err() && finite("x").is_err());
        assert_eq!(pair("a=b=c").unwrap(), ("a".into(), "b=c".into()));
        assert!(pair("a").is_err());
    }
}
