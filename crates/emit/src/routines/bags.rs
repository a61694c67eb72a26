//! Bags: ids that rise behind their number (`ids[0]`), and a weight of each.

//: _terms needs _trim _is_word
/// Where the terms of a text stand: runs of `ngram_min..=ngram_max` pieces, which are words, or characters where a run of
/// blanks is one. Pieces and terms are read in place.
struct Terms<'t> {
    text: &'t [u8],
    words: bool,
    fold: bool,
    ngram_min: usize,
    ngram_max: usize,
    /// The term; where the piece behind it and its own second piece begin; its pieces.
    start: usize,
    end: usize,
    next: usize,
    second: usize,
    n: usize,
}

impl<'t> Terms<'t> {
    /// The terms of a text; of a missing one there are none.
    fn of(text: Option<&'t [u8]>, words: bool, fold: bool, ngram_min: usize, ngram_max: usize) -> Terms<'t> {
        let text = _trim(text.unwrap_or(&[]));
        let mut terms =
            Terms { text, words, fold, ngram_min, ngram_max, start: 0, end: 0, next: 0, second: 0, n: 0 };
        if words {
            terms.start = terms.behind_blanks(0);
            terms.next = terms.start;
        }
        terms
    }

    /// Whether a byte stands between words, or is a blank: a run of these is one blank of a term.
    fn is_between(&self, at: usize) -> bool {
        if self.words { !_is_word(self.text[at]) } else { _is_blank(self.text[at]) }
    }

    /// The end of a run of bytes that stand between pieces.
    fn behind_blanks(&self, at: usize) -> usize {
        let mut at = at;
        while at < self.text.len() && self.is_between(at) {
            at += 1;
        }
        at
    }

    /// The end of the piece that begins at a place.
    fn piece_end(&self, at: usize) -> usize {
        let mut at = at;
        if self.words {
            while at < self.text.len() && !self.is_between(at) {
                at += 1;
            }
            return at;
        }
        if self.is_between(at) {
            return self.behind_blanks(at);
        }
        at += 1;
        while at < self.text.len() && self.text[at] & 0xc0 == 0x80 {
            at += 1;
        }
        at
    }

    /// Steps to the next term; false behind the last one.
    fn step(&mut self) -> bool {
        loop {
            if self.n == self.ngram_max || self.next >= self.text.len() {
                if self.n == 0 {
                    return false;
                }
                self.start = self.second;
                self.next = self.second;
                self.n = 0;
                continue;
            }
            self.end = self.piece_end(self.next);
            self.next = if self.words { self.behind_blanks(self.end) } else { self.end };
            self.n += 1;
            if self.n == 1 {
                self.second = self.next;
            }
            if self.n >= self.ngram_min {
                return true;
            }
        }
    }

    /// The bytes of the term.
    fn bytes(&self) -> impl Iterator<Item = u8> + '_ {
        let mut at = self.start;
        core::iter::from_fn(move || {
            if at >= self.end {
                return None;
            }
            if self.is_between(at) {
                while at < self.end && self.is_between(at) {
                    at += 1;
                }
                return Some(b' ');
            }
            at += 1;
            let byte = self.text[at - 1];
            Some(if self.fold { byte.to_ascii_lowercase() } else { byte })
        })
    }
}

//: _bag_add
/// Counts an id in a bag; `full` becomes 1 where the bag has `places` others.
fn _bag_add(ids: &mut [u32], weights: &mut [f64], full: &mut [u8], places: usize, id: u32) {
    let n = ids[0] as usize;
    let at = ids[1..=n].partition_point(|&known| known < id);
    if at < n && ids[at + 1] == id {
        weights[at] += 1.0;
    } else if n >= places {
        full[0] = 1;
    } else {
        ids.copy_within(at + 1..n + 1, at + 2);
        weights.copy_within(at..n, at + 1);
        ids[0] += 1;
        ids[at + 1] = id;
        weights[at] = 1.0;
    }
}

//: tokens needs _terms _bag_add
/// How often each of `n_known` terms stands in the text; `full`: whether more of them stand there than the bag has places.
/// The known terms rise.
fn tokens(
    ids: &mut [u32],
    weights: &mut [f64],
    full: &mut [u8],
    text: Option<&[u8]>,
    bytes: &[u8],
    starts: &[u32],
    n_known: usize,
    places: usize,
    words: bool,
    fold: bool,
    ngram_min: usize,
    ngram_max: usize,
) {
    let mut terms = Terms::of(text, words, fold, ngram_min, ngram_max);
    ids[0] = 0;
    full[0] = 0;
    while terms.step() {
        let (mut low, mut high) = (0, n_known);
        while low < high {
            let middle = low + (high - low) / 2;
            let known = &bytes[starts[middle] as usize..starts[middle + 1] as usize];
            match known.iter().copied().cmp(terms.bytes()) {
                core::cmp::Ordering::Less => low = middle + 1,
                core::cmp::Ordering::Greater => high = middle,
                core::cmp::Ordering::Equal => {
                    _bag_add(ids, weights, full, places, middle as u32);
                    break;
                }
            }
        }
    }
}

//: hash_tokens needs _terms _bag_add _fnv
/// As [`tokens`]; the id of a term is the low bits of its hash.
fn hash_tokens(
    ids: &mut [u32],
    weights: &mut [f64],
    full: &mut [u8],
    text: Option<&[u8]>,
    n_known: usize,
    places: usize,
    words: bool,
    fold: bool,
    ngram_min: usize,
    ngram_max: usize,
) {
    let mut terms = Terms::of(text, words, fold, ngram_min, ngram_max);
    ids[0] = 0;
    full[0] = 0;
    while terms.step() {
        let hash = terms.bytes().fold(FNV, _fnv);
        _bag_add(ids, weights, full, places, hash & (n_known as u32 - 1));
    }
}

//: bag_copy
/// The weights of a bag.
fn bag_copy(out: &mut [f64], ids: &[u32], weights: &[f64]) {
    let n = ids[0] as usize;
    out[..n].copy_from_slice(&weights[..n]);
}

//: bag_sublinear needs _math
/// 1 + ln of each count.
fn bag_sublinear(weights: &mut [f64], ids: &[u32]) {
    for weight in &mut weights[..ids[0] as usize] {
        *weight = 1.0 + math::log(*weight);
    }
}

//: bag_binary
/// 1.
fn bag_binary(weights: &mut [f64], ids: &[u32]) {
    weights[..ids[0] as usize].fill(1.0);
}

//: bag_times
/// Each weight times the factor of its id.
fn bag_times(weights: &mut [f64], ids: &[u32], factors: &[f64]) {
    for (weight, &id) in weights.iter_mut().zip(&ids[1..=ids[0] as usize]) {
        *weight *= factors[id as usize];
    }
}

//: _bag_divide
/// Divides weights by a length, unless it is 0.
fn _bag_divide(weights: &mut [f64], ids: &[u32], length: f64) {
    for weight in weights[..ids[0] as usize].iter_mut().filter(|_| length != 0.0) {
        let share = *weight / length;
        *weight = if share.is_nan() { f64::NAN } else { share };
    }
}

//: bag_l1 needs _bag_divide
/// Each weight divided by the sum of absolute ones, unless it is 0.
fn bag_l1(weights: &mut [f64], ids: &[u32]) {
    let absolute = |weight: f64| if weight < 0.0 { -weight } else { weight };
    let sum = weights[..ids[0] as usize].iter().fold(0.0, |sum, &weight| sum + absolute(weight));
    _bag_divide(weights, ids, sum);
}

//: bag_l2 needs _bag_divide _math
/// Each weight divided by the root of the sum of squares, unless it is 0.
fn bag_l2(weights: &mut [f64], ids: &[u32]) {
    let sum = weights[..ids[0] as usize].iter().fold(0.0, |sum, weight| sum + weight * weight);
    _bag_divide(weights, ids, math::sqrt(sum));
}

//: bag_gather
/// The weights of wanted ids, which rise; 0 of those that are not in the bag.
fn bag_gather(out: &mut [f64], ids: &[u32], weights: &[f64], wanted: &[u32], n: usize) {
    let known = &ids[1..=ids[0] as usize];
    for (out, id) in out[..n].iter_mut().zip(wanted) {
        *out = known.binary_search(id).map_or(0.0, |at| weights[at]);
    }
}

//: bag_gemm
/// The sum over the bag of weight times the row of its id in `w`, from 0, in the order of the ids.
fn bag_gemm(out: &mut [f64], ids: &[u32], weights: &[f64], w: &[f64], width: usize) {
    out[..width].fill(0.0);
    for (&id, &weight) in ids[1..=ids[0] as usize].iter().zip(weights) {
        for (sum, &w) in out[..width].iter_mut().zip(&w[id as usize * width..]) {
            *sum += weight * w;
        }
    }
    for sum in out[..width].iter_mut().filter(|sum| sum.is_nan()) {
        *sum = f64::NAN;
    }
}
