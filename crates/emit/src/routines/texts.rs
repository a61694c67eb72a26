//! Texts: keys, what is counted of a text, and texts for the rows of a self-test.

//: _find
/// The place of the key that equals a text among `n` keys in rising order of bytes; `n` if none does.
fn _find(text: &[u8], bytes: &[u8], starts: &[u32], n: usize) -> usize {
    let (mut low, mut high) = (0, n);
    while low < high {
        let middle = low + (high - low) / 2;
        let key = &bytes[starts[middle] as usize..starts[middle + 1] as usize];
        match key.cmp(text) {
            core::cmp::Ordering::Equal => return middle,
            core::cmp::Ordering::Less => low = middle + 1,
            core::cmp::Ordering::Greater => high = middle,
        }
    }
    n
}

//: _trim
/// Space, tab, line feed, vertical tab, form feed, carriage return.
fn _is_blank(byte: u8) -> bool {
    byte == b' ' || (9..=13).contains(&byte)
}

/// A text without blanks at both ends.
fn _trim(text: &[u8]) -> &[u8] {
    let mut text = text;
    while let Some((last, before)) = text.split_last() {
        if !_is_blank(*last) {
            break;
        }
        text = before;
    }
    while let Some((first, behind)) = text.split_first() {
        if !_is_blank(*first) {
            break;
        }
        text = behind;
    }
    text
}

//: _is_word
/// Whether a byte belongs to a word: ASCII letters and digits, and every byte of what is beyond ASCII.
fn _is_word(byte: u8) -> bool {
    byte >= 0x80 || byte.is_ascii_alphanumeric()
}

//: _characters
/// Characters of UTF-8: bytes that do not go on with one.
fn _characters(text: &[u8]) -> u32 {
    text.iter().filter(|&&byte| byte & 0xc0 != 0x80).count() as u32
}

//: key_code needs _find
/// The place of the key, `unseen` if the text is no key, `missing` if there is no text. Keys rise.
fn key_code(
    code: &mut u8,
    text: Option<&[u8]>,
    bytes: &[u8],
    starts: &[u32],
    n: usize,
    unseen: i64,
    missing: i64,
) {
    *code = match text.map(|text| _find(text, bytes, starts, n)) {
        None => missing as u8,
        Some(place) if place < n => place as u8,
        Some(_) => unseen as u8,
    };
}

//: label_encoder needs _find
/// The value of the key, `values[n]` of other keys, `values[n + 1]` of a missing text. Keys rise.
fn label_encoder(
    out: &mut [f64],
    text: Option<&[u8]>,
    bytes: &[u8],
    starts: &[u32],
    values: &[f64],
    n: usize,
) {
    out[0] = values[text.map_or(n + 1, |text| _find(text, bytes, starts, n))];
}

//: hash_bucket needs _fnv
/// The hash of the text modulo `n_buckets`; NaN for a missing text.
fn hash_bucket(out: &mut [f64], text: Option<&[u8]>, n_buckets: usize) {
    let hashed = |text: &[u8]| text.iter().fold(FNV, |hash, &byte| _fnv(hash, byte));
    out[0] = text.map_or(f64::NAN, |text| f64::from(hashed(text) % n_buckets as u32));
}

//: _fnv
const FNV: u32 = 0x811c_9dc5;

/// FNV-1a of 32 bits, one byte further.
fn _fnv(hash: u32, byte: u8) -> u32 {
    (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
}

//: respell needs _find
/// The value of the key, other texts as they are; the empty text and a missing one are missing. Keys rise.
fn respell<'t>(
    out: &mut [Option<&'t [u8]>],
    text: Option<&'t [u8]>,
    bytes: &[u8],
    starts: &[u32],
    value_bytes: &'t [u8],
    value_starts: &[u32],
    n: usize,
) {
    let respelt = text.map(|text| {
        let place = _find(text, bytes, starts, n);
        if place < n {
            &value_bytes[value_starts[place] as usize..value_starts[place + 1] as usize]
        } else {
            text
        }
    });
    out[0] = respelt.filter(|text| !text.is_empty());
}

//: text_characters needs _trim _characters
/// Characters between blanks at both ends; NaN for a missing text.
fn text_characters(out: &mut [f64], text: Option<&[u8]>) {
    out[0] = text.map_or(f64::NAN, |text| f64::from(_characters(_trim(text))));
}

//: text_words needs _is_word
/// Words, which are longest runs of bytes that belong to one; NaN for a missing text.
fn text_words(out: &mut [f64], text: Option<&[u8]>) {
    let words = |text: &[u8]| text.split(|&byte| !_is_word(byte)).filter(|word| !word.is_empty()).count();
    out[0] = text.map_or(f64::NAN, |text| f64::from(words(text) as u32));
}

//: text_share needs _trim _characters
/// Share of the characters that are capitals (`of` is 0), digits (1) or punctuation (2) of ASCII; 0 if none is, NaN for
/// a missing text.
fn text_share(out: &mut [f64], text: Option<&[u8]>, of: i64) {
    let counted = |byte: &&u8| match of {
        0 => byte.is_ascii_uppercase(),
        1 => byte.is_ascii_digit(),
        _ => byte.is_ascii_punctuation(),
    };
    out[0] = text.map_or(f64::NAN, |text| {
        let text = _trim(text);
        let n = text.iter().filter(counted).count() as u32;
        if n == 0 { 0.0 } else { f64::from(n) / f64::from(_characters(text)) }
    });
}

//: _hex
/// Writes a number in lower-case hexadecimal digits without leading zeros, at most 16; returns how many.
fn _hex(out: &mut [u8], word: u64) -> usize {
    let mut length = 1;
    while length < 16 && (word >> (4 * length)) != 0 {
        length += 1;
    }
    for (i, byte) in out.iter_mut().take(length).enumerate() {
        let digit = (word >> (4 * (length - 1 - i))) as u8 & 15;
        *byte = if digit < 10 { b'0' + digit } else { b'a' - 10 + digit };
    }
    length
}

//: _sentence needs _below
/// Writes a text of terms of a vocabulary and of other words, at most 256 bytes; returns how many. The draws are those of
/// the rows of a self-test.
fn _sentence(out: &mut [u8], state: &mut u64, bytes: &[u8], starts: &[u32], n: usize) -> usize {
    const SYLLABLES: [&str; 8] = ["ba", "to", "N", "\u{e9}", "re", "7", "Shi", "\u{2019}"];
    const BETWEEN: [&str; 8] = [" ", " ", " ", "  ", ", ", "! ", "-", ""];
    let mut written = 0;
    let n_words = 1 + _below(state, 16);
    for _ in 0..n_words {
        let mut made = [0; 9];
        let word = if _below(state, 4) > 0 && n > 0 {
            let term = _below(state, n as u32) as usize;
            &bytes[starts[term] as usize..starts[term + 1] as usize]
        } else {
            let mut length = 0;
            let n_syllables = 2 + _below(state, 2);
            for _ in 0..n_syllables {
                for &byte in SYLLABLES[_below(state, 8) as usize].as_bytes() {
                    made[length] = byte;
                    length += 1;
                }
            }
            &made[..length]
        };
        let is_capital = _below(state, 8) == 0;
        let between = BETWEEN[_below(state, 8) as usize].as_bytes();
        if written + word.len() + between.len() > 256 {
            continue;
        }
        for &byte in word {
            out[written] = if is_capital { byte.to_ascii_uppercase() } else { byte };
            written += 1;
        }
        for &byte in between {
            out[written] = byte;
            written += 1;
        }
    }
    written
}
