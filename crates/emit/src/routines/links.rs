//! Links and votes: integer scores to probabilities and values, by integers alone.

//: link_logistic needs _link
/// `p: [2]` bits of `1 - p` and `p = 1 / (1 + exp(-score 2^-shift))`.
fn link_logistic(p: &mut [u32], score: &[i32], shift: u32) {
    p[..2].copy_from_slice(&link::logistic(score[0], shift).map(f32::to_bits));
}

//: link_softmax needs _link
/// `p: [n]` bits of `exp(s_k) / sum_j exp(s_j)`, `s = scores 2^-shift`.
fn link_softmax(p: &mut [u32], scores: &[i32], n: usize, shift: u32) {
    for (p, of_class) in p.iter_mut().zip(link::softmax_of(&scores[..n], shift)) {
        *p = of_class.to_bits();
    }
}

//: link_share_of_two needs _link
/// `p: [2]` bits of the shares of `offset - score` and `offset + score`, offset `1..=2^32`.
fn link_share_of_two(p: &mut [u32], score: &[i32], offset: i64) {
    p[..2].copy_from_slice(&link::share_of_two(score[0], offset).map(f32::to_bits));
}

//: link_share needs _link
/// `p: [n]` bits of each score's share of their sum; negative scores count as 0, and without any all get the same.
fn link_share(p: &mut [u32], scores: &[i32], n: usize) {
    for (p, of_class) in p.iter_mut().zip(link::share_of(&scores[..n])) {
        *p = of_class.to_bits();
    }
}

//: link_linear needs _link
/// `(score + offset) 2^-shift`, rounded once.
fn link_linear(value: &mut [f64], score: &[i32], offset: i64, shift: i16) {
    value[0] = link::linear(score[0], offset, shift);
}

//: link_exponential needs _link
/// `exp(score 2^-shift)`.
fn link_exponential(value: &mut [f64], score: &[i32], shift: u32) {
    value[0] = link::exponential(score[0], shift);
}

//: votes_logistic needs _votes
/// `round((2 p - 1) 2^bits)`, `p = 1 / (1 + exp(-score 2^-shift))`.
fn votes_logistic(made: &mut [i32], score: &[i32], shift: u32, bits: u32) {
    made[0] = votes::logistic(score[0], shift, bits);
}

//: votes_softmax needs _votes
/// `round(p_k 2^bits)`, `p_k = exp(s_k) / sum_j exp(s_j)`, `s = scores 2^-shift`.
fn votes_softmax(made: &mut [i32], scores: &[i32], n: usize, shift: u32, bits: u32) {
    let made = &mut made[..n];
    made.copy_from_slice(&scores[..n]);
    votes::softmax(made, shift, bits);
}

//: votes_share_of_two needs _votes
/// `score / offset 2^bits`, rounded half up, the score at most `offset` in size, offset `1..=2^32`.
fn votes_share_of_two(made: &mut [i32], score: &[i32], offset: i64, bits: u32) {
    made[0] = score[0];
    votes::share(&mut made[..1], offset, bits);
}

//: votes_share needs _votes
/// Each score's share of their sum, times `2^bits`, rounded half up; negative scores count as 0, and without any all
/// get the same.
fn votes_share(made: &mut [i32], scores: &[i32], n: usize, bits: u32) {
    let made = &mut made[..n];
    made.copy_from_slice(&scores[..n]);
    votes::share(made, 0, bits);
}

//: votes_largest_of_two needs _votes
/// `2^bits` for a score above 0, else `-2^bits`.
fn votes_largest_of_two(made: &mut [i32], score: &[i32], bits: u32) {
    made[0] = score[0];
    votes::largest(&mut made[..1], bits);
}

//: votes_largest needs _votes
/// `2^bits` for the largest score, the first of equals, 0 for others.
fn votes_largest(made: &mut [i32], scores: &[i32], n: usize, bits: u32) {
    let made = &mut made[..n];
    made.copy_from_slice(&scores[..n]);
    votes::largest(made, bits);
}
