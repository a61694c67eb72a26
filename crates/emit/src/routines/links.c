/* Links and votes: integer scores to probabilities and values, by integers alone. */

/*: _wide */
/* A number of 128 bits: high 2^64 + low. */
typedef struct {
    uint64_t high;
    uint64_t low;
} sm__wide;

/*: _multiply needs _wide */
/* a b, all 128 bits. */
static sm__wide sm__multiply(uint64_t a, uint64_t b)
{
    const uint64_t lower = 0xffffffff;
    uint64_t first = (a & lower) * (b & lower);
    uint64_t second = (a >> 32) * (b & lower) + (first >> 32);
    uint64_t third = (a & lower) * (b >> 32) + (second & lower);
    sm__wide product;
    product.high = (a >> 32) * (b >> 32) + (second >> 32) + (third >> 32);
    product.low = (third << 32) | (first & lower);
    return product;
}

/*: _leading_zeros */
/* Zero bits before the first one of 64; 64 of 0. */
static int32_t sm__leading_zeros(uint64_t x)
{
    int32_t n = 0;
    int32_t half;
    if (x == 0) {
        return 64;
    }
    for (half = 32; half > 0; half /= 2) {
        if ((x >> (64 - half)) == 0) {
            n += half;
            x <<= half;
        }
    }
    return n;
}

/*: _divide needs _wide _leading_zeros */
/* The next 32 bits of a quotient: of rest 2^32 + next, whose rest stands in the place of `rest`. The divisor has its
   leading bit at 63 and is above `rest`, so that its upper half finds the digit but for two steps. */
static uint64_t sm__next_digit(uint64_t *rest, uint64_t next, uint64_t divisor)
{
    uint64_t upper = divisor >> 32;
    uint64_t lower = divisor & 0xffffffff;
    uint64_t digit = *rest / upper;
    uint64_t left = *rest % upper;
    while ((digit >> 32) != 0 || digit * lower > ((left << 32) | next)) {
        digit--;
        left += upper;
        if ((left >> 32) != 0) {
            break;
        }
    }
    /* The bits that leave on the left cancel. */
    *rest = ((*rest << 32) | next) - digit * divisor;
    return digit;
}

/* x / divisor and its rest, for a divisor above x.high. Long division by digits of 32 bits: Knuth, The Art of Computer
   Programming 2, section 4.3.1, algorithm D. */
static uint64_t sm__divide(sm__wide x, uint64_t divisor, uint64_t *rest)
{
    int32_t shift = sm__leading_zeros(divisor);
    uint64_t first;
    uint64_t second;
    if (shift > 0) {
        divisor <<= shift;
        x.high = (x.high << shift) | (x.low >> (64 - shift));
        x.low <<= shift;
    }
    first = sm__next_digit(&x.high, x.low >> 32, divisor);
    second = sm__next_digit(&x.high, x.low & 0xffffffff, divisor);
    *rest = x.high >> shift;
    return (first << 32) | second;
}

/*: _quotient needs _divide _multiply */
/* x / divisor, which is below 2^63, for a divisor that is above 0 and below 2^127. */
static uint64_t sm__quotient(sm__wide x, sm__wide divisor)
{
    uint64_t rest;
    uint64_t quotient;
    uint64_t upper;
    sm__wide product;
    sm__wide start;
    int32_t kept;
    if (divisor.high == 0) {
        return sm__divide(x, divisor.low, &rest);
    }
    /* By the upper 64 bits of the divisor alone the quotient is too large by less than quotient / 2^63, so by one. */
    kept = sm__leading_zeros(divisor.high);
    upper = (divisor.high << kept) | (divisor.low >> (64 - kept));
    start.high = x.high >> (64 - kept);
    start.low = (x.high << kept) | (x.low >> (64 - kept));
    quotient = sm__divide(start, upper, &rest);
    product = sm__multiply(quotient, divisor.low);
    product.high += quotient * divisor.high;
    if (product.high > x.high || (product.high == x.high && product.low > x.low)) {
        quotient--;
    }
    return quotient;
}

/*: _size */
/* The size of a number. */
static uint32_t sm__size(int32_t x)
{
    return x < 0 ? 0 - (uint32_t)x : (uint32_t)x;
}

/*: _difference */
/* How far two numbers are apart. */
static uint32_t sm__difference(int32_t a, int32_t b)
{
    return a < b ? (uint32_t)b - (uint32_t)a : (uint32_t)a - (uint32_t)b;
}

/*: _largest */
/* The largest of n scores, n at least 1. */
static int32_t sm__largest(const int32_t *scores, uint32_t n)
{
    int32_t largest = scores[0];
    uint32_t k;
    for (k = 1; k < n; k++) {
        if (scores[k] > largest) {
            largest = scores[k];
        }
    }
    return largest;
}

/*: _power_of_half needs _multiply */
/* 2^(-i/16), i = 0..15, with 63 fraction bits. */
static const SM_FLASH uint64_t sm__powers[16] = {
    0x8000000000000000, 0x7a92be8a92436616, 0x75606373ee921c97, 0x70666f76154a7087,
    0x6ba27e656b4eb57a, 0x6712460a8fc24071, 0x62b39508aa836d6e, 0x5e8451cfac061b5e,
    0x5a827999fcef3242, 0x56ac1f752150a562, 0x52ff6b54d8a89c74, 0x4f7a993048d088d5,
    0x4c1bf828c6dc54b7, 0x48e1e9b9d588e19a, 0x45cae0f1f545eb72, 0x42d561b3e6243d88
};

/* 2^-(fraction / 2^64) with 63 fraction bits: a table and the Taylor series of degree 10. */
static uint64_t sm__power_of_half(uint64_t fraction)
{
    const uint64_t one = (uint64_t)1 << 63;
    const uint64_t ln_2 = 0xb17217f7d1cf79ac;
    uint64_t r = sm__multiply(fraction << 4, ln_2).high >> 4;
    uint64_t s = one;
    sm__wide product;
    uint32_t k;
    for (k = 10; k > 0; k--) {
        s = one - sm__multiply(s, r).high / k;
    }
    product = sm__multiply(sm__powers[fraction >> 60], s);
    return (product.high << 1) | (product.low >> 63);
}

/*: _halvings needs _multiply */
/* How often a power is halved: distance 2^-shift log2 e, rounded down, with 64 fraction bits. *dropped says whether
   something was rounded off. */
static sm__wide sm__halvings(uint32_t distance, int32_t shift, int *dropped)
{
    const uint64_t log2_e = 0x5c551d94ae0bf85e;
    sm__wide y = sm__multiply(distance, log2_e);
    *dropped = 0;
    y.high = (y.high << 2) | (y.low >> 62);
    y.low <<= 2;
    if (shift > 0) {
        *dropped = (y.low << (64 - shift)) != 0;
        y.low = (y.low >> shift) | (y.high << (64 - shift));
        y.high >>= shift;
    }
    return y;
}

/*: _exp_neg needs _halvings _power_of_half */
/* exp(-distance 2^-shift) = mantissa 2^(-63 - exponent), the mantissa above 2^62 and at most 2^63. */
static uint64_t sm__exp_neg(uint32_t distance, int32_t shift, int32_t *exponent)
{
    int dropped;
    sm__wide y = sm__halvings(distance, shift, &dropped);
    /* Far below the smallest float already, so the cut changes nothing. */
    *exponent = y.high < 4096 ? (int32_t)y.high : 4096;
    return sm__power_of_half(y.low);
}

/*: _in_q62 */
/* mantissa 2^(-63 - exponent) with 62 fraction bits. */
static uint64_t sm__in_q62(uint64_t mantissa, int32_t exponent)
{
    return exponent < 63 ? mantissa >> (exponent + 1) : 0;
}

/*: _exp_q62 needs _exp_neg _in_q62 */
/* exp(-distance 2^-shift) with 62 fraction bits. */
static uint64_t sm__exp_q62(uint32_t distance, int32_t shift)
{
    int32_t exponent;
    uint64_t mantissa = sm__exp_neg(distance, shift, &exponent);
    return sm__in_q62(mantissa, exponent);
}

/*: _sum_of_powers needs _exp_q62 _difference */
/* The sum of exp((score - largest) 2^-shift) over all scores, with 62 fraction bits. */
static sm__wide sm__sum_of_powers(const int32_t *scores, uint32_t n, int32_t largest, int32_t shift)
{
    sm__wide sum = {0, 0};
    uint32_t k;
    for (k = 0; k < n; k++) {
        uint64_t power = sm__exp_q62(sm__difference(largest, scores[k]), shift);
        sum.low += power;
        sum.high += sum.low < power;
    }
    return sum;
}

/*: _float_bits needs _leading_zeros */
/* Bits of the float nearest to mantissa 2^exponent, ties to even, subnormals and zero included, in a format of
   `fraction` stored bits whose normal numbers start at 2^least; too large ones become its largest finite number. */
static uint64_t sm__float_bits(uint64_t mantissa, int32_t exponent, int32_t fraction, int32_t least)
{
    const uint64_t one = 1;
    int32_t top;
    int32_t drop;
    int32_t biased;
    uint64_t kept;
    uint64_t bits;
    uint64_t infinity = (uint64_t)(3 - 2 * least) << fraction;
    if (mantissa == 0) {
        return 0;
    }
    /* Exponent of the leading bit. */
    top = 63 - sm__leading_zeros(mantissa) + exponent;
    drop = (top > least ? top : least) - fraction - exponent;
    if (drop <= 0) {
        kept = mantissa << -drop;
    } else if (drop > 64) {
        kept = 0;
    } else if (drop == 64) {
        kept = mantissa > (one << 63);
    } else {
        uint64_t rest = mantissa & ((one << drop) - 1);
        uint64_t half = one << (drop - 1);
        kept = mantissa >> drop;
        kept += rest > half || (rest == half && (kept & 1) == 1);
    }
    /* A carry out of the mantissa runs into the exponent, which is what rounding up means. */
    biased = top - least;
    biased = biased < 0 ? 0 : biased > 2 - 2 * least ? 2 - 2 * least : biased;
    bits = ((uint64_t)biased << fraction) + kept;
    return bits < infinity ? bits : infinity - 1;
}

/*: _f32_bits needs _float_bits */
static uint32_t sm__f32_bits(uint64_t mantissa, int32_t exponent)
{
    return (uint32_t)sm__float_bits(mantissa, exponent, 23, -126);
}

/*: _f64_bits needs _float_bits */
static uint64_t sm__f64_bits(uint64_t mantissa, int32_t exponent)
{
    return sm__float_bits(mantissa, exponent, 52, -1022);
}

/*: _ratio needs _divide _f32_bits */
/* Bits of the float nearest to part / whole, ties to even; part is at most whole. */
static uint32_t sm__ratio(uint64_t part, uint64_t whole)
{
    int32_t up = sm__leading_zeros(part);
    int32_t down = sm__leading_zeros(whole);
    sm__wide wide;
    uint64_t rest;
    uint64_t quotient;
    if (part == 0 || whole == 0) {
        return 0;
    }
    part <<= up;
    wide.high = part >> 2;
    wide.low = part << 62;
    /* At least 62 bits; the last one remembers a rest. */
    quotient = sm__divide(wide, whole << down, &rest);
    return sm__f32_bits(quotient | (rest != 0), down - up - 62);
}

/*: link_logistic needs _exp_neg _in_q62 _divide _size _f32_bits */
/* p: [2] bits of 1 - p and p = 1 / (1 + exp(-score 2^-shift)). */
static void sm_link_logistic(uint32_t *p, const int32_t *score, int32_t shift)
{
    int32_t exponent;
    uint64_t rest;
    uint64_t mantissa = sm__exp_neg(sm__size(score[0]), shift, &exponent);
    /* 1 + e with 62 fraction bits; 1 and e, each divided by it. */
    uint64_t sum = ((uint64_t)1 << 62) + sm__in_q62(mantissa, exponent);
    sm__wide one = {(uint64_t)1 << 61, 0};
    sm__wide power;
    int is_negative = score[0] < 0;
    power.high = mantissa >> 2;
    power.low = mantissa << 62;
    p[is_negative ? 0 : 1] = sm__f32_bits(sm__divide(one, sum, &rest), -63);
    p[is_negative ? 1 : 0] = sm__f32_bits(sm__divide(power, sum, &rest), -63 - exponent);
}

/*: link_softmax needs _sum_of_powers _exp_neg _difference _quotient _largest _f32_bits */
/* p: [n] bits of exp(s_k) / sum_j exp(s_j), s = scores 2^-shift. */
static void sm_link_softmax(uint32_t *p, const int32_t *scores, uint32_t n, int32_t shift)
{
    int32_t largest = sm__largest(scores, n);
    sm__wide sum = sm__sum_of_powers(scores, n, largest, shift);
    uint32_t k;
    for (k = 0; k < n; k++) {
        int32_t exponent;
        uint64_t mantissa = sm__exp_neg(sm__difference(largest, scores[k]), shift, &exponent);
        sm__wide power;
        power.high = mantissa >> 2;
        power.low = mantissa << 62;
        p[k] = sm__f32_bits(sm__quotient(power, sum), -63 - exponent);
    }
}

/*: link_share_of_two needs _ratio */
/* p: [2] bits of the shares of offset - score and offset + score, offset 1..2^32. */
static void sm_link_share_of_two(uint32_t *p, const int32_t *score, int64_t offset)
{
    int64_t kept = score[0] < -offset ? -offset : score[0] > offset ? offset : score[0];
    uint64_t votes = (uint64_t)(offset + kept);
    uint64_t all = 2 * (uint64_t)offset;
    p[0] = sm__ratio(all - votes, all);
    p[1] = sm__ratio(votes, all);
}

/*: link_share needs _ratio */
/* p: [n] bits of each score's share of their sum; negative scores count as 0, and without any all get the same. */
static void sm_link_share(uint32_t *p, const int32_t *scores, uint32_t n)
{
    uint64_t all = 0;
    uint32_t k;
    for (k = 0; k < n; k++) {
        all += scores[k] > 0 ? (uint32_t)scores[k] : 0;
    }
    for (k = 0; k < n; k++) {
        uint64_t votes = scores[k] > 0 ? (uint32_t)scores[k] : 0;
        p[k] = all == 0 ? sm__ratio(1, n) : sm__ratio(votes, all);
    }
}

/*: link_linear needs _f64_bits _size */
/* (score + offset) 2^-shift, rounded once. */
static void sm_link_linear(double *value, const int32_t *score, int64_t offset, int32_t shift)
{
    union { uint64_t bits; double value; } u;
    uint64_t a = offset < 0 ? 0 - (uint64_t)offset : (uint64_t)offset;
    uint64_t b = sm__size(score[0]);
    int is_negative = offset < 0;
    uint64_t size;
    if (is_negative == (score[0] < 0)) {
        size = a + b;
    } else if (a >= b) {
        size = a - b;
    } else {
        size = b - a;
        is_negative = !is_negative;
    }
    u.bits = sm__f64_bits(size, -shift);
    if (is_negative && size != 0) {
        u.bits |= (uint64_t)1 << 63;
    }
    *value = u.value;
}

/*: link_exponential needs _exp_neg _halvings _power_of_half _f64_bits _size */
/* exp(score 2^-shift). */
static void sm_link_exponential(double *value, const int32_t *score, int32_t shift)
{
    union { uint64_t bits; double value; } u;
    uint32_t size = sm__size(score[0]);
    int32_t exponent;
    if (score[0] <= 0) {
        uint64_t mantissa = sm__exp_neg(size, shift, &exponent);
        u.bits = sm__f64_bits(mantissa, -63 - exponent);
    } else {
        /* Minus the halvings, rounded down as well: whole ones, and the fraction above them. */
        int dropped;
        sm__wide y = sm__halvings(size, shift, &dropped);
        y.low += dropped != 0;
        y.high += dropped != 0 && y.low == 0;
        y.high += y.low != 0;
        exponent = y.high < 4096 ? (int32_t)y.high : 4096;
        u.bits = sm__f64_bits(sm__power_of_half(0 - y.low), exponent - 63);
    }
    *value = u.value;
}

/*: _rounded_share needs _quotient */
/* part / whole 2^bits, rounded half up; part is at most whole and below 2^63, bits at most 30. */
static int32_t sm__rounded_share(uint64_t part, sm__wide whole, int32_t bits)
{
    sm__wide x;
    sm__wide twice;
    x.high = part >> (63 - bits);
    x.low = part << (bits + 1);
    x.low += whole.low;
    x.high += whole.high + (x.low < whole.low);
    twice.high = (whole.high << 1) | (whole.low >> 63);
    twice.low = whole.low << 1;
    return (int32_t)sm__quotient(x, twice);
}

/*: votes_logistic needs _exp_q62 _rounded_share _size */
/* round((2 p - 1) 2^bits), p = 1 / (1 + exp(-score 2^-shift)). */
static void sm_votes_logistic(int32_t *votes, const int32_t *score, int32_t shift, int32_t bits)
{
    const uint64_t one = (uint64_t)1 << 62;
    uint64_t power = sm__exp_q62(sm__size(score[0]), shift);
    sm__wide whole;
    int32_t size;
    whole.high = 0;
    whole.low = one + power;
    size = sm__rounded_share(one - power, whole, bits);
    votes[0] = score[0] < 0 ? -size : size;
}

/*: votes_softmax needs _sum_of_powers _exp_q62 _difference _rounded_share _largest */
/* round(p_k 2^bits), p_k = exp(s_k) / sum_j exp(s_j), s = scores 2^-shift. */
static void sm_votes_softmax(int32_t *votes, const int32_t *scores, uint32_t n, int32_t shift, int32_t bits)
{
    int32_t largest = sm__largest(scores, n);
    sm__wide sum = sm__sum_of_powers(scores, n, largest, shift);
    uint32_t k;
    for (k = 0; k < n; k++) {
        votes[k] = sm__rounded_share(sm__exp_q62(sm__difference(largest, scores[k]), shift), sum, bits);
    }
}

/*: votes_share_of_two */
/* score / offset 2^bits, rounded half up, the score at most offset in size, offset 1..2^32. */
static void sm_votes_share_of_two(int32_t *votes, const int32_t *score, int64_t offset, int32_t bits)
{
    int64_t kept = score[0] < -offset ? -offset : score[0] > offset ? offset : score[0];
    int64_t x = kept * ((int64_t)1 << (bits + 1)) + offset;
    int64_t quotient = x / (2 * offset);
    votes[0] = (int32_t)(x % (2 * offset) < 0 ? quotient - 1 : quotient);
}

/*: votes_share */
/* Each score's share of their sum, times 2^bits, rounded half up; negative scores count as 0, and without any all get
   the same. */
static void sm_votes_share(int32_t *votes, const int32_t *scores, uint32_t n, int32_t bits)
{
    uint64_t all = 0;
    uint32_t k;
    for (k = 0; k < n; k++) {
        all += scores[k] > 0 ? (uint32_t)scores[k] : 0;
    }
    for (k = 0; k < n; k++) {
        uint64_t part = all == 0 ? 1 : scores[k] > 0 ? (uint32_t)scores[k] : 0;
        uint64_t whole = all == 0 ? n : all;
        votes[k] = (int32_t)(((part << (bits + 1)) + whole) / (2 * whole));
    }
}

/*: votes_largest_of_two */
/* 2^bits for a score above 0, else -2^bits. */
static void sm_votes_largest_of_two(int32_t *votes, const int32_t *score, int32_t bits)
{
    int32_t all = (int32_t)1 << bits;
    votes[0] = score[0] > 0 ? all : -all;
}

/*: votes_largest */
/* 2^bits for the largest score, the first of equals, 0 for others. */
static void sm_votes_largest(int32_t *votes, const int32_t *scores, uint32_t n, int32_t bits)
{
    uint32_t first = 0;
    uint32_t k;
    for (k = 0; k < n; k++) {
        votes[k] = 0;
        if (scores[k] > scores[first]) {
            first = k;
        }
    }
    votes[first] = (int32_t)1 << bits;
}
