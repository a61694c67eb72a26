//! Rows that a seed regenerates, and the digest of what is made of them.

//: _mix
fn _mix(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

//: _next_word needs _mix
/// The next random word: SplitMix64.
fn _next_word(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    _mix(*state)
}

//: _below needs _next_word
/// A random number below n.
fn _below(state: &mut u64, n: u32) -> u32 {
    (((_next_word(state) >> 32) * u64::from(n)) >> 32) as u32
}

//: _digest
/// Adds a word to a digest.
fn _digest(digest: &mut u64, word: u64) {
    *digest = (*digest ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31);
}

//: _drawn needs _below
/// What a cell is.
enum _Drawn {
    Missing,
    Low,
    High,
    Word(u64),
    Constant(usize, i64),
}

fn _drawn(state: &mut u64, n: usize) -> _Drawn {
    match _below(state, 16) {
        0 => _Drawn::Missing,
        1 => _Drawn::Low,
        2 => _Drawn::High,
        kind if kind == 3 || n == 0 => _Drawn::Word(_next_word(state)),
        _ => {
            let at = _below(state, n as u32) as usize;
            _Drawn::Constant(at, i64::from(_below(state, 3)) - 1)
        }
    }
}

//: _draw_i64 needs _drawn
/// A cell of integers.
fn _draw_i64(state: &mut u64, numbers: &[i64], n: usize, is_time: i64) -> Option<i64> {
    match _drawn(state, n) {
        _Drawn::Missing => None,
        _Drawn::Low => Some(i64::MIN),
        _Drawn::High => Some(i64::MAX),
        _Drawn::Word(word) => Some(word as i64 >> if is_time == 1 { 11 } else { 0 }),
        _Drawn::Constant(at, step) => Some(numbers[at].saturating_add(step)),
    }
}

//: _draw_f64 needs _drawn _key_f64
/// A cell of doubles.
fn _draw_f64(state: &mut u64, numbers: &[f64], n: usize) -> Option<f64> {
    let limit = 0x7ff0_0000_0000_0000;
    match _drawn(state, n) {
        _Drawn::Missing => None,
        _Drawn::Low => Some(f64::NEG_INFINITY),
        _Drawn::High => Some(f64::INFINITY),
        _Drawn::Word(word) => Some(if word % 8 == 0 { f64::NAN } else { f64::from_bits(word) }),
        _Drawn::Constant(at, step) => {
            let key = _key_f64(numbers[at]).saturating_add(step).clamp(-limit - 1, limit);
            Some(f64::from_bits(if key < 0 { key ^ i64::MAX } else { key } as u64))
        }
    }
}

//: _copied
/// Text as it stands in a table: its bytes in a buffer.
fn _copied(out: &mut [u8], bytes: &[u8], starts: &[u32], at: usize) -> usize {
    let text = &bytes[starts[at] as usize..starts[at + 1] as usize];
    out[..text.len()].copy_from_slice(text);
    text.len()
}

//: _last_character
/// The last character of all.
fn _last_character(out: &mut [u8]) -> usize {
    out[..4].copy_from_slice(&[0xf4, 0x8f, 0xbf, 0xbf]);
    4
}

//: _draw_key needs _drawn _hex _copied _last_character
/// A cell of keys, in a buffer: its length.
fn _draw_key(out: &mut [u8], state: &mut u64, bytes: &[u8], starts: &[u32], n: usize, is_shared: i64) -> Option<usize> {
    match _drawn(state, n) {
        _Drawn::Missing => None,
        _Drawn::Low => Some(0),
        _Drawn::High => Some(_last_character(out)),
        _Drawn::Word(word) => Some(_hex(out, if is_shared == 1 { word % 16 } else { word })),
        _Drawn::Constant(at, _) => Some(_copied(out, bytes, starts, at)),
    }
}

//: _draw_time needs _drawn _time_write _copied _last_character
/// A cell of points in time as text.
fn _draw_time(out: &mut [u8], state: &mut u64, bytes: &[u8], starts: &[u32], n: usize, format: i64) -> Option<usize> {
    match _drawn(state, n) {
        _Drawn::Missing => None,
        _Drawn::Low => Some(0),
        _Drawn::High => Some(_last_character(out)),
        _Drawn::Word(word) => Some(_time_write(out, word as i64 >> 11, format)),
        _Drawn::Constant(at, _) => Some(_copied(out, bytes, starts, at)),
    }
}

//: _draw_sentence needs _drawn _sentence _last_character
/// A cell of sentences: `n` keys as they were counted, and the terms of a vocabulary.
fn _draw_sentence(
    out: &mut [u8],
    state: &mut u64,
    n: usize,
    bytes: &[u8],
    starts: &[u32],
    n_terms: usize,
) -> Option<usize> {
    match _drawn(state, n) {
        _Drawn::Missing => None,
        _Drawn::Low => Some(0),
        _Drawn::High => Some(_last_character(out)),
        _ => Some(_sentence(out, state, bytes, starts, n_terms)),
    }
}
