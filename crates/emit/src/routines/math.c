/* The pinned functions on doubles: those of ir::fixed::math, each operation in the same order. */

/*: _from_bits */
/* The double of these bits. */
static double sm__from_bits(uint64_t bits)
{
    union { uint64_t bits; double value; } u;
    u.bits = bits;
    return u.value;
}

/*: _bits */
/* The bits of a double. */
static uint64_t sm__bits(double value)
{
    union { double value; uint64_t bits; } u;
    u.value = value;
    return u.bits;
}

/*: _nan needs _from_bits */
/* Missing. */
static double sm__nan(void)
{
    return sm__from_bits(UINT64_C(0x7ff8000000000000));
}

/*: _infinity needs _from_bits */
static double sm__infinity(void)
{
    return sm__from_bits(UINT64_C(0x7ff0000000000000));
}

/*: _canonical needs _nan */
/* x, every NaN as the one that stands for missing: machines differ in the sign and payload of a NaN that they make. */
static double sm__canonical(double x)
{
    return x != x ? sm__nan() : x;
}

/*: _is_finite needs _bits */
static int sm__is_finite(double x)
{
    return ((sm__bits(x) >> 52) & 0x7ff) != 0x7ff;
}

/*: _abs needs _bits _from_bits */
/* |x|; NaN stays one. */
static double sm__abs(double x)
{
    return sm__from_bits(sm__bits(x) & UINT64_C(0x7fffffffffffffff));
}

/*: _copysign needs _bits _from_bits */
/* |x| with the sign of another number. */
static double sm__copysign(double x, double sign)
{
    uint64_t size = sm__bits(x) & UINT64_C(0x7fffffffffffffff);
    return sm__from_bits(size | (sm__bits(sign) & UINT64_C(0x8000000000000000)));
}

/*: _round_ties_even needs _abs _copysign */
/* The nearest whole number, ties to even; NaN and infinities stay. */
static double sm__round_ties_even(double x)
{
    double size = sm__abs(x);
    if (size < 0x1p52) {
        double whole = size + 0x1p52;
        return sm__copysign(whole - 0x1p52, x);
    }
    return x;
}

/*: _floor needs _abs */
/* The largest whole number that is not above x; NaN, infinities and -0 stay. */
static double sm__floor(double x)
{
    double cut;
    if (x != x || sm__abs(x) >= 0x1p52) {
        return x;
    }
    cut = (double)(int64_t)x;
    if (cut == x) {
        return x;
    }
    return cut > x ? cut - 1.0 : cut;
}

/*: _pow2 needs _from_bits */
/* 2^n for -1022 <= n <= 1023. */
static double sm__pow2(int32_t n)
{
    return sm__from_bits((uint64_t)(1023 + n) << 52);
}

/*: _exp_to_709 needs _bits _from_bits */
/* e^x for x <= 709, by a Taylor series of degree 13; 0 below -708. */
static double sm__exp_to_709(double x)
{
    double inside = x < -708.0 ? -708.0 : x;
    /* 1.5 * 2^52 rounds to a whole number, which then stands in the low bits. */
    double shifted = inside * 0x1.71547652b82fep+0 + 0x1.8p52;
    double n = shifted - 0x1.8p52;
    double r = (inside - n * 0x1.62e42fee00000p-1) - n * 0x1.a39ef35793c76p-33;
    double p = 1.0 / 6227020800.0;
    if (x != x) {
        return x;
    }
    p = p * r + 1.0 / 479001600.0;
    p = p * r + 1.0 / 39916800.0;
    p = p * r + 1.0 / 3628800.0;
    p = p * r + 1.0 / 362880.0;
    p = p * r + 1.0 / 40320.0;
    p = p * r + 1.0 / 5040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    return x < -708.0 ? 0.0 : sm__from_bits((sm__bits(shifted) << 52) + sm__bits(p));
}

/*: _exp needs _exp_to_709 _infinity */
/* e^x; infinity above 709.782712893384, NaN for NaN. */
static double sm__exp(double x)
{
    if (x <= 709.0) {
        return sm__exp_to_709(x);
    }
    if (x > 0x1.62e42fefa39efp+9) {
        return sm__infinity();
    }
    if (x != x) {
        return x;
    }
    return sm__exp_to_709(x - 1.0) * 0x1.5bf0a8b145769p+1;
}

/*: _log needs _bits _from_bits _infinity _nan */
/* The natural logarithm; minus infinity of 0, NaN of negatives. */
static double sm__log(double x)
{
    static const SM_FLASH double odd[10] = {21.0, 19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0};
    uint64_t bits;
    int32_t n = -1023;
    uint32_t i;
    double m, s, z, p, whole;
    if (x != x || x < 0.0) {
        return sm__nan();
    }
    if (x == 0.0) {
        return -sm__infinity();
    }
    if (x == sm__infinity()) {
        return x;
    }
    if (x < 0x1p-1022) {
        x = x * 0x1p54;
        n -= 54;
    }
    bits = sm__bits(x);
    n += (int32_t)(bits >> 52);
    m = sm__from_bits((bits & UINT64_C(0xfffffffffffff)) | UINT64_C(0x3ff0000000000000));
    if (m > 0x1.6a09e667f3bcdp+0) {
        m = m * 0.5;
        n += 1;
    }
    s = (m - 1.0) / (m + 1.0);
    z = s * s;
    p = 1.0 / 23.0;
    for (i = 0; i < 10; i++) {
        p = p * z + 1.0 / odd[i];
    }
    whole = (double)n;
    return whole * 0x1.62e42fee00000p-1 + (2.0 * s + (2.0 * s * z * p + whole * 0x1.a39ef35793c76p-33));
}

/*: _sqrt needs _bits _infinity _nan _pow2 */
/* The square root, correctly rounded; NaN of negatives. */
static double sm__sqrt(double x)
{
    uint64_t bits, mantissa, root = 0, rest = 0;
    int32_t exponent, odd, bias = 0, i;
    if (x != x || x < 0.0) {
        return sm__nan();
    }
    if (x == 0.0 || x == sm__infinity()) {
        return x;
    }
    if (x < 0x1p-1022) {
        x = x * 0x1p54;
        bias = 27;
    }
    bits = sm__bits(x);
    exponent = (int32_t)(bits >> 52) - 1075;
    odd = exponent & 1;
    mantissa = ((bits & UINT64_C(0xfffffffffffff)) | UINT64_C(0x10000000000000)) << odd;
    /* The root of mantissa * 2^54, 54 bits, two bits of the square for each. */
    for (i = 26; i >= -27; i--) {
        uint64_t two = i < 0 ? 0 : (mantissa >> (2 * i)) & 3;
        rest = (rest << 2) | two;
        root <<= 1;
        if (rest > 2 * root) {
            rest -= 2 * root + 1;
            root += 1;
        }
    }
    /* Half-way between two doubles only where nothing is left. */
    if ((root & 1) != 0 && (rest != 0 || (root & 2) != 0)) {
        root += 2;
    }
    return (double)(root >> 1) * sm__pow2((exponent - odd - 54) / 2 + 1 - bias);
}

/*: _turned needs _bits _from_bits */
/* The remainder of x, |x| > 8, by the double nearest to 2 pi; it has the sign of x. */
static double sm__turned(double x)
{
    const uint64_t tau = UINT64_C(0x1921fb54442d18);
    uint64_t bits = sm__bits(x);
    int32_t times = (int32_t)((bits >> 52) & 0x7ff) - 1025;
    uint64_t rest = ((bits & UINT64_C(0xfffffffffffff)) | UINT64_C(0x10000000000000)) % tau;
    double size;
    for (; times > 0; times--) {
        rest <<= 1;
        if (rest >= tau) {
            rest -= tau;
        }
    }
    size = (double)rest * 0x1p-50;
    return (bits >> 63) != 0 ? -size : size;
}

/*: _sin_near */
/* sin r for |r| <= pi / 4. */
static double sm__sin_near(double r)
{
    double z = r * r;
    double p = 1.0 / 355687428096000.0;
    p = p * z - 1.0 / 1307674368000.0;
    p = p * z + 1.0 / 6227020800.0;
    p = p * z - 1.0 / 39916800.0;
    p = p * z + 1.0 / 362880.0;
    p = p * z - 1.0 / 5040.0;
    p = p * z + 1.0 / 120.0;
    p = p * z - 1.0 / 6.0;
    return r + r * z * p;
}

/*: _cos_near */
/* cos r for |r| <= pi / 4. */
static double sm__cos_near(double r)
{
    double z = r * r;
    double p = -1.0 / 6402373705728000.0;
    p = p * z + 1.0 / 20922789888000.0;
    p = p * z - 1.0 / 87178291200.0;
    p = p * z + 1.0 / 479001600.0;
    p = p * z - 1.0 / 3628800.0;
    p = p * z + 1.0 / 40320.0;
    p = p * z - 1.0 / 720.0;
    p = p * z + 1.0 / 24.0;
    return (1.0 - 0.5 * z) + z * z * p;
}

/*: _wave needs _abs _cos_near _is_finite _nan _round_ties_even _sin_near _turned */
/* The sine of x and of as many quarters of a turn more; NaN where x is no number. */
static double sm__wave(double x, int quarters)
{
    double n, r, size;
    int quadrant;
    if (!sm__is_finite(x)) {
        return sm__nan();
    }
    if (sm__abs(x) > 1e6) {
        x = sm__turned(x);
    }
    n = sm__round_ties_even(x * 0x1.45f306dc9c883p-1);
    r = ((x - n * 0x1.921fb54400000p+0) - n * 0x1.0b4611a600000p-34) - n * 0x1.3198a2e037073p-69;
    quadrant = ((int)((int32_t)n & 3) + quarters) & 3;
    size = (quadrant & 1) != 0 ? sm__cos_near(r) : sm__sin_near(r);
    return (quadrant & 2) != 0 ? -size : size;
}

/*: _normal_quantile needs _abs _copysign _infinity _log _nan _sqrt */
/* Numerators and denominators near the middle, further out and in the tails, the highest power first. */
static const SM_FLASH double sm__normal_quantile_terms[6][8] = {
    {0x1.39a296f7d925ep+11, 0x1.052d26b2e45e4p+15, 0x1.06c1c55b78f20p+16, 0x1.66c3e869b752ap+15,
     0x1.ad1d8cd4ee71dp+13, 0x1.ece5d2213c0ccp+10, 0x1.0a4888b1a436ep+7, 0x1.b18d91e9eef75p+1},
    {0x1.46a7eca984b69p+12, 0x1.c0e457cb1ae76p+14, 0x1.3317caa64f4bep+15, 0x1.4b772d5d65266p+14,
     0x1.512322e75c89fp+12, 0x1.5797efdc8b3f7p+9, 0x1.5281b386e1ab5p+5, 1.0},
    {0x1.9615ac0b7ace9p-11, 0x1.744eb6c45ec67p-6, 0x1.ef2abb9b85c37p-3, 0x1.453cc085375b2p+0,
     0x1.d2ecb1a3d02c4p+1, 0x1.713f71462256ap+2, 0x1.2857748cab19bp+2, 0x1.6c665fde9526ap+0},
    {0x1.20d3f686439e4p-30, 0x1.1f18cbfdf2728p-11, 0x1.f207a7eab17bfp-7, 0x1.2f5123394f040p-3,
     0x1.61292f23385c9p-1, 0x1.ad278e6526633p+0, 0x1.06cefbb46a449p+1, 1.0},
    {0x1.afb74d693bf93p-23, 0x1.c6ec6cc59e02ap-16, 0x1.45c1908425345p-10, 0x1.b2b41193b4ee7p-6,
     0x1.2fad9315255cfp-2, 0x1.c8ea6461fa445p+0, 0x1.5daea6e875003p+2, 0x1.aa1b1c13ee526p+2},
    {0x1.269bff1f8c190p-49, 0x1.31446f740b9e0p-23, 0x1.35c2c496374bfp-16, 0x1.9c8bc979dc5d7p-11,
     0x1.e76f93215462ap-7, 0x1.186eb183443fbp-3, 0x1.331d34fc7d77fp-1, 1.0},
};

/* One of these polynomials at r. */
static double sm__normal_quantile_sum(double r, uint32_t at)
{
    double sum = 0.0;
    uint32_t i;
    for (i = 0; i < 8; i++) {
        sum = sum * r + sm__normal_quantile_terms[at][i];
    }
    return sum;
}

/* The z with P(Z <= z) = p for a standard normal Z; NaN outside of 0 to 1. */
static double sm__normal_quantile(double p)
{
    double q = p - 0.5, tail, r, z;
    if (p != p || p < 0.0 || p > 1.0) {
        return sm__nan();
    }
    if (sm__abs(q) <= 0x1.b333333333333p-2) {
        r = 0x1.71eb851eb851fp-3 - q * q;
        return q * sm__normal_quantile_sum(r, 0) / sm__normal_quantile_sum(r, 1);
    }
    tail = q < 0.0 ? p : 1.0 - p;
    if (tail == 0.0) {
        return sm__copysign(sm__infinity(), q);
    }
    r = sm__sqrt(-sm__log(tail));
    if (r <= 5.0) {
        r = r - 0x1.999999999999ap+0;
        z = sm__normal_quantile_sum(r, 2) / sm__normal_quantile_sum(r, 3);
    } else {
        r = r - 5.0;
        z = sm__normal_quantile_sum(r, 4) / sm__normal_quantile_sum(r, 5);
    }
    return sm__copysign(z, q);
}
