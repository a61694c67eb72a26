/* Numbers: doubles of one row, NaN is missing. An operand with the step 0 is one number beside many, else its step
   is 1. */

/*: read_f64 needs _nan */
/* out: the number given for a column, NaN where it is missing. */
static void sm_read_f64(double *out, double x, int is_missing)
{
    *out = is_missing ? sm__nan() : x;
}

/*: read_i64 needs _nan */
/* As read_f64: the double nearest to a whole number. */
static void sm_read_i64(double *out, int64_t x, int is_missing)
{
    *out = is_missing ? sm__nan() : (double)x;
}

/*: fill */
/* out[i] = x[i step] for n elements. */
static void sm_fill(double *out, const double *x, uint32_t step, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = x[i * step];
    }
}

/*: fill_table */
static void sm_fill_table(double *out, const SM_FLASH double *x, uint32_t step, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = x[i * step];
    }
}

/*: cast_code */
/* out: one of the codes as a number. */
static void sm_cast_code(double *out, const uint8_t *codes, uint32_t at)
{
    *out = codes[at];
}

/*: cast_u8 */
static void sm_cast_u8(double *out, const uint8_t *x, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = x[i];
    }
}

/*: cast_i32 */
static void sm_cast_i32(double *out, const int32_t *x, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = x[i];
    }
}

/*: cast_i64 */
static void sm_cast_i64(double *out, const int64_t *x, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = (double)x[i];
    }
}

/*: _min needs _bits _from_bits _nan */
static double sm__min(double a, double b)
{
    if (a != a || b != b) {
        return sm__nan();
    }
    if (a == b) {
        return sm__from_bits(sm__bits(a) | sm__bits(b));
    }
    return a < b ? a : b;
}

/*: _max needs _bits _from_bits _nan */
static double sm__max(double a, double b)
{
    if (a != a || b != b) {
        return sm__nan();
    }
    if (a == b) {
        return sm__from_bits(sm__bits(a) & sm__bits(b));
    }
    return a > b ? a : b;
}

/*: add needs _canonical */
static void sm_add(double *out, const double *a, uint32_t a_step,
    const double *b, uint32_t b_step, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = sm__canonical(a[i * a_step] + b[i * b_step]);
    }
}

/*: add_table needs _canonical */
static void sm_add_table(double *out, const double *a, uint32_t a_step,
    const SM_FLASH double *b, uint32_t b_step, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = sm__canonical(a[i * a_step] + b[i * b_step]);
    }
}

/*: sub needs _canonical */
static void sm_sub(double *out, const double *a, uint32_t a_step,
    const double *b, uint32_t b_step, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = sm__canonical(a[i * a_step] - b[i * b_step]);
    }
}

/*: sub_table needs _canonical */
static void sm_sub_table(double *out, const double *a, uint32_t a_step,
    const SM_FLASH double *b, uint32_t b_step, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = sm__canonical(a[i * a_step] - b[i * b_step]);
    }
}

/*: table_sub needs _canonical */
static void sm_table_sub(double *out, const SM_FLASH double *a, uint32_t a_step,
    const double *b, uint32_t b_step, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = sm__canonical(a[i * a_step] - b[i * b_step]);
    }
}

/*: mul needs _canonical */
static void sm_mul(double *out, const double *a, uint32_t a_step,
    const double *b, uint32_t b_step, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = sm__canonical(a[i * a_step] * b[i * b_step]);
    }
}

/*: mul_table needs _canonical */
static void sm_mul_table(double *out, const double *a, uint32_t a_step,
    const SM_FLASH double *b, uint32_t b_step, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = sm__canonical(a[i * a_step] * b[i * b_step]);
    }
}

/*: div needs _canonical */
static void sm_div(double *out, const double *a, uint32_t a_step,
    const double *b, uint32_t b_step, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = sm__canonical(a[i * a_step] / b[i * b_step]);
    }
}

/*: div_table needs _canonical */
static void sm_div_table(double *out, const double *a, uint32_t a_step,
    const SM_FLASH double *b, uint32_t b_step, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = sm__canonical(a[i * a_step] / b[i * b_step]);
    }
}

/*: table_div needs _canonical */
static void sm_table_div(double *out, const SM_FLASH double *a, uint32_t a_step,
    const double *b, uint32_t b_step, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = sm__canonical(a[i * a_step] / b[i * b_step]);
    }
}

/*: min needs _min */
static void sm_min(double *out, const double *a, uint32_t a_step,
    const double *b, uint32_t b_step, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = sm__min(a[i * a_step], b[i * b_step]);
    }
}

/*: min_table needs _min */
static void sm_min_table(double *out, const double *a, uint32_t a_step,
    const SM_FLASH double *b, uint32_t b_step, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = sm__min(a[i * a_step], b[i * b_step]);
    }
}

/*: max needs _max */
static void sm_max(double *out, const double *a, uint32_t a_step,
    const double *b, uint32_t b_step, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = sm__max(a[i * a_step], b[i * b_step]);
    }
}

/*: max_table needs _max */
static void sm_max_table(double *out, const double *a, uint32_t a_step,
    const SM_FLASH double *b, uint32_t b_step, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = sm__max(a[i * a_step], b[i * b_step]);
    }
}

/*: equal */
static void sm_equal(uint8_t *out, const double *a, uint32_t a_step,
    const double *b, uint32_t b_step, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = a[i * a_step] == b[i * b_step];
    }
}

/*: equal_table */
static void sm_equal_table(uint8_t *out, const double *a, uint32_t a_step,
    const SM_FLASH double *b, uint32_t b_step, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = a[i * a_step] == b[i * b_step];
    }
}

/*: less */
static void sm_less(uint8_t *out, const double *a, uint32_t a_step,
    const double *b, uint32_t b_step, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = a[i * a_step] < b[i * b_step];
    }
}

/*: less_table */
static void sm_less_table(uint8_t *out, const double *a, uint32_t a_step,
    const SM_FLASH double *b, uint32_t b_step, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = a[i * a_step] < b[i * b_step];
    }
}

/*: less_or_equal */
static void sm_less_or_equal(uint8_t *out, const double *a, uint32_t a_step,
    const double *b, uint32_t b_step, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = a[i * a_step] <= b[i * b_step];
    }
}

/*: less_or_equal_table */
static void sm_less_or_equal_table(uint8_t *out, const double *a, uint32_t a_step,
    const SM_FLASH double *b, uint32_t b_step, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = a[i * a_step] <= b[i * b_step];
    }
}

/*: greater_table */
static void sm_greater_table(uint8_t *out, const double *a, uint32_t a_step,
    const SM_FLASH double *b, uint32_t b_step, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = a[i * a_step] > b[i * b_step];
    }
}

/*: greater_or_equal_table */
static void sm_greater_or_equal_table(uint8_t *out, const double *a, uint32_t a_step,
    const SM_FLASH double *b, uint32_t b_step, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = a[i * a_step] >= b[i * b_step];
    }
}

/*: is_nan */
static void sm_is_nan(uint8_t *out, const double *x, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = x[i] != x[i];
    }
}

/*: choose */
/* out[i] = a[i] where the truth holds, else it stays. */
static void sm_choose(double *out, const uint8_t *holds, uint32_t holds_step,
    const double *a, uint32_t a_step, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        if (holds[i * holds_step]) {
            out[i] = a[i * a_step];
        }
    }
}

/*: choose_table */
static void sm_choose_table(double *out, const uint8_t *holds, uint32_t holds_step,
    const SM_FLASH double *a, uint32_t a_step, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        if (holds[i * holds_step]) {
            out[i] = a[i * a_step];
        }
    }
}

/*: abs needs _abs _canonical */
static void sm_abs(double *out, const double *x, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = sm__canonical(sm__abs(x[i]));
    }
}

/*: neg needs _canonical */
static void sm_neg(double *out, const double *x, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = sm__canonical(-x[i]);
    }
}

/*: sqrt needs _canonical _sqrt */
static void sm_sqrt(double *out, const double *x, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = sm__canonical(sm__sqrt(x[i]));
    }
}

/*: exp needs _canonical _exp */
static void sm_exp(double *out, const double *x, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = sm__canonical(sm__exp(x[i]));
    }
}

/*: log needs _canonical _log */
static void sm_log(double *out, const double *x, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = sm__canonical(sm__log(x[i]));
    }
}

/*: sin needs _canonical _wave */
static void sm_sin(double *out, const double *x, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = sm__canonical(sm__wave(x[i], 0));
    }
}

/*: cos needs _canonical _wave */
static void sm_cos(double *out, const double *x, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = sm__canonical(sm__wave(x[i], 1));
    }
}

/*: floor needs _canonical _floor */
static void sm_floor(double *out, const double *x, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = sm__canonical(sm__floor(x[i]));
    }
}

/*: sign needs _canonical */
static void sm_sign(double *out, const double *x, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = x[i] > 0.0 ? 1.0 : x[i] < 0.0 ? -1.0 : x[i] == 0.0 ? 0.0 : sm__canonical(x[i]);
    }
}

/*: normal_quantile needs _normal_quantile */
static void sm_normal_quantile(double *out, const double *x, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = sm__normal_quantile(x[i]);
    }
}

/*: gather_f64 */
static void sm_gather_f64(double *out, const double *x, const SM_FLASH uint16_t *at, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = x[at[i]];
    }
}

/*: gather_i32 */
static void sm_gather_i32(int32_t *out, const int32_t *x, const SM_FLASH uint16_t *at, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = x[at[i]];
    }
}

/*: _cell needs _from_bits _infinity */
/* A number of a table of n_bytes a number, little-endian: 2 a whole number (the least is infinity), 4 and 8 its
   bits. */
static double sm__cell(const SM_FLASH uint8_t *cells, uint32_t at, uint32_t n_bytes)
{
    const SM_FLASH uint8_t *cell = cells + at * n_bytes;
    uint32_t low = (uint32_t)cell[0] | (uint32_t)cell[1] << 8, high;
    uint64_t sign;
    if (n_bytes == 2) {
        if (low == 0x8000) {
            return sm__infinity();
        }
        return (double)((int32_t)low - (low > 0x8000 ? 0x10000 : 0));
    }
    low |= (uint32_t)cell[2] << 16 | (uint32_t)cell[3] << 24;
    if (n_bytes == 8) {
        high = (uint32_t)cell[4] | (uint32_t)cell[5] << 8 | (uint32_t)cell[6] << 16 | (uint32_t)cell[7] << 24;
        return sm__from_bits((uint64_t)high << 32 | low);
    }
    /* Single precision, never subnormal. */
    sign = (uint64_t)(low >> 31) << 63;
    low &= 0x7fffffff;
    if (low == 0) {
        return sm__from_bits(sign);
    }
    if (low >= 0x7f800000) {
        return sm__from_bits(sign | UINT64_C(0x7ff0000000000000));
    }
    return sm__from_bits(sign | (((uint64_t)low << 29) + ((uint64_t)896 << 52)));
}

/*: matmul needs _canonical _cell */
/* out[j] = sum_k x[k] w[k, j] in rising order of k from 0; w [inner, width]. */
static void sm_matmul(double *out, const double *x, const SM_FLASH uint8_t *w, uint32_t n_bytes, uint32_t inner,
    uint32_t width)
{
    uint32_t j, k;
    for (j = 0; j < width; j++) {
        out[j] = 0.0;
    }
    for (k = 0; k < inner; k++) {
        for (j = 0; j < width; j++) {
            out[j] += x[k] * sm__cell(w, k * width + j, n_bytes);
        }
    }
    for (j = 0; j < width; j++) {
        out[j] = sm__canonical(out[j]);
    }
}

/*: reduce_sum needs _canonical */
static void sm_reduce_sum(double *out, const double *x, uint32_t n)
{
    double made = x[0];
    uint32_t i;
    for (i = 1; i < n; i++) {
        made = made + x[i];
    }
    *out = sm__canonical(made);
}

/*: reduce_max needs _canonical _max */
static void sm_reduce_max(double *out, const double *x, uint32_t n)
{
    double made = x[0];
    uint32_t i;
    for (i = 1; i < n; i++) {
        made = sm__max(made, x[i]);
    }
    *out = sm__canonical(made);
}

/*: reduce_l1 needs _abs _canonical */
static void sm_reduce_l1(double *out, const double *x, uint32_t n)
{
    double made = sm__abs(x[0]);
    uint32_t i;
    for (i = 1; i < n; i++) {
        made = made + sm__abs(x[i]);
    }
    *out = sm__canonical(made);
}

/*: reduce_l2 needs _canonical _sqrt */
static void sm_reduce_l2(double *out, const double *x, uint32_t n)
{
    double made = x[0] * x[0];
    uint32_t i;
    for (i = 1; i < n; i++) {
        made = made + x[i] * x[i];
    }
    *out = sm__canonical(sm__sqrt(made));
}

/*: interpolate needs _cell _nan */
/* The polygon through n knots, which rise, and their values. */
static void sm_interpolate(double *out, const double *x, const SM_FLASH uint8_t *knots, uint32_t knot_bytes,
    const SM_FLASH uint8_t *values, uint32_t value_bytes, uint32_t n)
{
    uint32_t above = 0, left = n;
    double knot, value;
    if (*x != *x) {
        *out = sm__nan();
        return;
    }
    while (left > 0) {
        uint32_t half = left / 2;
        if (sm__cell(knots, above + half, knot_bytes) <= *x) {
            above += half + 1;
            left -= half + 1;
        } else {
            left = half;
        }
    }
    value = sm__cell(values, above > 0 ? above - 1 : 0, value_bytes);
    if (above == 0 || above == n) {
        *out = value;
        return;
    }
    knot = sm__cell(knots, above - 1, knot_bytes);
    *out = value + (*x - knot) * (sm__cell(values, above, value_bytes) - value)
        / (sm__cell(knots, above, knot_bytes) - knot);
}

/*: b_spline needs _canonical _nan */
/* The n B-splines of a degree of at most 10 over n + degree + 1 knots, which rise. */
static void sm_b_spline(double *out, const double *x, const SM_FLASH double *knots, uint32_t degree, uint32_t n)
{
    double values[11], left[11], right[11], near = *x;
    uint32_t above = degree, rest = n - degree + 1, at, i, j;
    if (near != near) {
        for (i = 0; i < n; i++) {
            out[i] = sm__nan();
        }
        return;
    }
    if (near < knots[degree]) {
        near = knots[degree];
    } else if (near > knots[n]) {
        near = knots[n];
    }
    while (rest > 0) {
        uint32_t half = rest / 2;
        if (knots[above + half] <= near) {
            above += half + 1;
            rest -= half + 1;
        } else {
            rest = half;
        }
    }
    /* The interval that holds it, the last one closed on the right. */
    at = (above < degree + 1 ? degree + 1 : above > n ? n : above) - 1;
    values[0] = 1.0;
    for (j = 1; j <= degree; j++) {
        double saved = 0.0;
        left[j] = near - knots[at + 1 - j];
        right[j] = knots[at + j] - near;
        for (i = 0; i < j; i++) {
            double share = values[i] / (right[i + 1] + left[j - i]);
            values[i] = saved + right[i + 1] * share;
            saved = left[j - i] * share;
        }
        values[j] = saved;
    }
    for (i = 0; i < n; i++) {
        out[i] = 0.0;
    }
    for (i = 0; i <= degree; i++) {
        out[at - degree + i] = sm__canonical(values[i]);
    }
}
