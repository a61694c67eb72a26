/* Small integers, and what becomes of scores: products, rows that are compared, sums, curves, decisions. */

/*: _shift_right */
/* floor(x / 2^shift); C leaves it open what a shift makes of a negative number. */
static int64_t sm__shift_right(int64_t x, int32_t shift)
{
    return x < 0 ? ~(~x >> shift) : x >> shift;
}

/*: _clamp_i32 */
/* The nearer end of 32 bits, or the number itself. */
static int32_t sm__clamp_i32(int64_t x)
{
    return x < INT32_MIN ? INT32_MIN : x > INT32_MAX ? INT32_MAX : (int32_t)x;
}

/*: _requantize needs _shift_right */
/* acc multiplier 2^-shift, rounded half up; the multiplier is below 2^31, the shift 1..62. */
static int64_t sm__requantize(int32_t acc, int32_t multiplier, uint8_t shift)
{
    return sm__shift_right((int64_t)acc * multiplier + ((int64_t)1 << (shift - 1)), shift);
}

/*: _round_scaled needs _clamp_i32 */
/* x 2^shift to the nearest integer, ties to even, clamped to 32 bits; 0 of NaN. By the bits of x alone. */
static int32_t sm__round_scaled(double x, int32_t shift)
{
    const uint64_t one = 1;
    union { double value; uint64_t bits; } u;
    int is_negative;
    int32_t exponent;
    int32_t drop;
    uint64_t fraction;
    uint64_t rest;
    uint64_t size;
    u.value = x;
    is_negative = (u.bits >> 63) != 0;
    exponent = (int32_t)((u.bits >> 52) & 0x7ff);
    fraction = u.bits & ((one << 52) - 1);
    if (exponent == 0x7ff && fraction != 0) {
        return 0;
    }
    if (exponent == 0x7ff || exponent - 1023 + shift > 30) {
        return is_negative ? INT32_MIN : INT32_MAX;
    }
    /* Below a half; a subnormal number is below it at any shift up to 1000. */
    drop = 52 - (exponent - 1023 + shift);
    if (drop > 53) {
        return 0;
    }
    size = (fraction | (one << 52)) >> drop;
    rest = (fraction | (one << 52)) & ((one << drop) - 1);
    size += rest > (one << (drop - 1)) || (rest == (one << (drop - 1)) && (size & 1) == 1);
    return sm__clamp_i32(is_negative ? -(int64_t)size : (int64_t)size);
}

/*: argmax */
/* The place of the largest score, the first of equals. */
static void sm_argmax(int64_t *label, const int32_t *scores, uint32_t n)
{
    uint32_t best = 0;
    uint32_t k;
    for (k = 1; k < n; k++) {
        if (scores[k] > scores[best]) {
            best = k;
        }
    }
    *label = best;
}

/*: threshold */
/* 1 for a score above the threshold, else 0. */
static void sm_threshold(int64_t *label, const int32_t *score, int32_t above)
{
    *label = score[0] > above;
}

/*: least_cost */
/* The class k whose cost sum_j p_j cost_jk is least, the first of equals; p: bits of f32, cost: [n, n]. */
static void sm_least_cost(int64_t *label, const uint32_t *p, const SM_FLASH double *cost, uint32_t n)
{
    union { uint64_t bits; double value; } least;
    uint32_t j;
    uint32_t k;
    least.bits = 0x7ff0000000000000;
    *label = 0;
    for (k = 0; k < n; k++) {
        double expected = 0.0;
        for (j = 0; j < n; j++) {
            union { uint32_t bits; float value; } u;
            double part;
            u.bits = p[j];
            part = (double)u.value * cost[j * n + k];
            expected = expected + part;
        }
        if (expected < least.value) {
            least.value = expected;
            *label = k;
        }
    }
}

/*: quantize needs _round_scaled */
/* q_j = x_j / scale_j to the nearest integer, ties to even, at most `most` in size; missing is 0. */
static void sm_quantize(int16_t *q, const double *x, const SM_FLASH double *scale, uint32_t n, int32_t most)
{
    uint32_t j;
    for (j = 0; j < n; j++) {
        double ratio = x[j] / scale[j];
        int32_t whole = sm__round_scaled(ratio, 0);
        q[j] = (int16_t)(whole < -most ? -most : whole > most ? most : whole);
    }
}

/*: to_scores needs _round_scaled */
/* x_k 2^shift to the nearest integer, ties to even, clamped to 32 bits; missing is 0. */
static void sm_to_scores(int32_t *scores, const double *x, uint32_t n, int32_t shift)
{
    uint32_t k;
    for (k = 0; k < n; k++) {
        scores[k] = sm__round_scaled(x[k], shift);
    }
}

/*: product_i8 needs _requantize _clamp_i32 */
/* score_j = bias_j + sum_k x_k w_jk, requantized; weights: [n_outputs, n_inputs]. No sum leaves 32 bits. */
static void sm_product_i8(int32_t *scores, const int16_t *x, const SM_FLASH int8_t *weights,
    const SM_FLASH int32_t *bias, const SM_FLASH int32_t *multipliers, const SM_FLASH uint8_t *shifts,
    uint32_t n_inputs, uint32_t n_outputs)
{
    uint32_t j;
    uint32_t k;
    for (j = 0; j < n_outputs; j++) {
        int32_t acc = bias[j];
        for (k = 0; k < n_inputs; k++) {
            acc += (int32_t)x[k] * weights[k];
        }
        scores[j] = sm__clamp_i32(sm__requantize(acc, multipliers[j], shifts[j]));
        weights += n_inputs;
    }
}

/*: product_i16 needs _requantize _clamp_i32 */
/* As product_i8. */
static void sm_product_i16(int32_t *scores, const int16_t *x, const SM_FLASH int16_t *weights,
    const SM_FLASH int32_t *bias, const SM_FLASH int32_t *multipliers, const SM_FLASH uint8_t *shifts,
    uint32_t n_inputs, uint32_t n_outputs)
{
    uint32_t j;
    uint32_t k;
    for (j = 0; j < n_outputs; j++) {
        int32_t acc = bias[j];
        for (k = 0; k < n_inputs; k++) {
            acc += (int32_t)x[k] * weights[k];
        }
        scores[j] = sm__clamp_i32(sm__requantize(acc, multipliers[j], shifts[j]));
        weights += n_inputs;
    }
}

/*: sum_of_two needs _clamp_i32 */
/* Scores added, clamped to 32 bits. */
static void sm_sum_of_two(int32_t *scores, const int32_t *a, const int32_t *b, uint32_t n)
{
    uint32_t k;
    for (k = 0; k < n; k++) {
        scores[k] = sm__clamp_i32((int64_t)a[k] + b[k]);
    }
}

/*: sums_begin */
/* Sums that begin with constants. */
static void sm_sums_begin(int64_t *sums, const SM_FLASH int64_t *first, uint32_t n)
{
    uint32_t k;
    for (k = 0; k < n; k++) {
        sums[k] = first[k];
    }
}

/*: sums_begin_with */
/* Sums that begin with scores. */
static void sm_sums_begin_with(int64_t *sums, const int32_t *scores, uint32_t n)
{
    uint32_t k;
    for (k = 0; k < n; k++) {
        sums[k] = scores[k];
    }
}

/*: sums_add */
/* Adds scores to sums, each by one weight. */
static void sm_sums_add(int64_t *sums, const int32_t *scores, uint32_t n, int32_t weight)
{
    uint32_t k;
    for (k = 0; k < n; k++) {
        sums[k] += (int64_t)weight * scores[k];
    }
}

/*: sums_add_each */
/* Adds scores to sums, each by a weight of its own. */
static void sm_sums_add_each(int64_t *sums, const int32_t *scores, const SM_FLASH int32_t *weights, uint32_t n)
{
    uint32_t k;
    for (k = 0; k < n; k++) {
        sums[k] += (int64_t)weights[k] * scores[k];
    }
}

/*: sums_end needs _shift_right _clamp_i32 */
/* floor(sum 2^-shift), clamped to 32 bits. */
static void sm_sums_end(int32_t *scores, const int64_t *sums, uint32_t n, int32_t shift)
{
    uint32_t k;
    for (k = 0; k < n; k++) {
        scores[k] = sm__clamp_i32(sm__shift_right(sums[k], shift));
    }
}

/*: cascade_of_two */
/* The first score where it is at least `margin` from `offset`, else the second one. */
static void sm_cascade_of_two(int32_t *score, const int32_t *first, const int32_t *second, int32_t offset, int64_t margin)
{
    int64_t away = (int64_t)first[0] - offset;
    score[0] = (away < 0 ? -away : away) >= margin ? first[0] : second[0];
}

/*: cascade */
/* The first scores where the largest is at least `margin` above the next one, else the second ones; n is at least 2. */
static void sm_cascade(int32_t *scores, const int32_t *first, const int32_t *second, uint32_t n, int64_t margin)
{
    int32_t largest = INT32_MIN;
    int32_t next = INT32_MIN;
    const int32_t *taken;
    uint32_t k;
    for (k = 0; k < n; k++) {
        if (first[k] > largest) {
            next = largest;
            largest = first[k];
        } else if (first[k] > next) {
            next = first[k];
        }
    }
    taken = (int64_t)largest - next >= margin ? first : second;
    for (k = 0; k < n; k++) {
        scores[k] = taken[k];
    }
}

/*: gate */
/* The first scores where the gate is at least 0, else the second ones. */
static void sm_gate(int32_t *scores, const int32_t *gate, const int32_t *first, const int32_t *second, uint32_t n)
{
    const int32_t *taken = gate[0] >= 0 ? first : second;
    uint32_t k;
    for (k = 0; k < n; k++) {
        scores[k] = taken[k];
    }
}

/*: curves needs _size _difference */
/* A polygon at a score: between two of the n knots, which rise, on their line, rounded to the nearest, ties to even; at
   and beyond the ends their values. */
static int32_t sm__curve(int32_t score, const SM_FLASH int32_t *knots, const SM_FLASH int32_t *values, uint32_t n)
{
    uint32_t low = 0;
    uint32_t left = n;
    uint64_t product;
    uint64_t width;
    uint64_t step;
    uint64_t twice;
    int64_t value;
    while (left > 0) {
        uint32_t half = left / 2;
        if (knots[low + half] <= score) {
            low += half + 1;
            left -= half + 1;
        } else {
            left = half;
        }
    }
    if (low == 0 || low == n) {
        return values[low == 0 ? 0 : n - 1];
    }
    /* Both factors are below 2^32. */
    product = (uint64_t)sm__difference(score, knots[low - 1]) * sm__difference(values[low], values[low - 1]);
    width = sm__difference(knots[low], knots[low - 1]);
    step = product / width;
    twice = 2 * (product % width);
    /* The parity of the result is that of the value and the step together. */
    step += twice > width || (twice == width && ((step ^ sm__size(values[low - 1])) & 1) == 1);
    value = values[low - 1];
    return (int32_t)(values[low] < values[low - 1] ? value - (int64_t)step : value + (int64_t)step);
}

/* Each score by its polygon; the knots of score k are sizes_k long, one after the other. */
static void sm_curves(int32_t *made, const int32_t *scores, const SM_FLASH uint32_t *sizes,
    const SM_FLASH int32_t *knots, const SM_FLASH int32_t *values, uint32_t n)
{
    uint32_t k;
    for (k = 0; k < n; k++) {
        made[k] = sm__curve(scores[k], knots, values, sizes[k]);
        knots += sizes[k];
        values += sizes[k];
    }
}

/*: _distance_i8 */
/* sum_j (x_j - row_j)^2; a square is below 2^32. */
static int64_t sm__distance_i8(const int16_t *x, const SM_FLASH int8_t *row, uint32_t n)
{
    int64_t sum = 0;
    uint32_t j;
    for (j = 0; j < n; j++) {
        int32_t away = (int32_t)x[j] - row[j];
        sum += (uint32_t)away * (uint32_t)away;
    }
    return sum;
}

/*: _distance_i16 */
/* As _distance_i8. */
static int64_t sm__distance_i16(const int16_t *x, const SM_FLASH int16_t *row, uint32_t n)
{
    int64_t sum = 0;
    uint32_t j;
    for (j = 0; j < n; j++) {
        int32_t away = (int32_t)x[j] - row[j];
        sum += (uint32_t)away * (uint32_t)away;
    }
    return sum;
}

/*: _keep_near */
/* Takes a row among the n nearest ones, of which at most k are kept, by rising distance and then in the order in which
   they come. Returns how many there are. */
static uint32_t sm__keep_near(int64_t *distances, uint32_t *rows, uint32_t n, uint32_t k, int64_t distance, uint32_t row)
{
    uint32_t at = n;
    if (n == k) {
        at = n - 1;
        if (distances[at] <= distance) {
            return n;
        }
    } else {
        n++;
    }
    while (at > 0 && distances[at - 1] > distance) {
        distances[at] = distances[at - 1];
        rows[at] = rows[at - 1];
        at--;
    }
    distances[at] = distance;
    rows[at] = row;
    return n;
}

/*: nearest_i8 needs _distance_i8 _keep_near */
/* The k nearest of the known rows [n_known, width] and their squared distances, the first of equals; 1 <= k <= n_known. */
static void sm_nearest_i8(int64_t *distances, uint32_t *rows, const int16_t *x, const SM_FLASH int8_t *known,
    uint32_t n_known, uint32_t width, uint32_t k)
{
    uint32_t n = 0;
    uint32_t row;
    for (row = 0; row < n_known; row++) {
        n = sm__keep_near(distances, rows, n, k, sm__distance_i8(x, known, width), row);
        known += width;
    }
}

/*: nearest_i16 needs _distance_i16 _keep_near */
/* As nearest_i8. */
static void sm_nearest_i16(int64_t *distances, uint32_t *rows, const int16_t *x, const SM_FLASH int16_t *known,
    uint32_t n_known, uint32_t width, uint32_t k)
{
    uint32_t n = 0;
    uint32_t row;
    for (row = 0; row < n_known; row++) {
        n = sm__keep_near(distances, rows, n, k, sm__distance_i16(x, known, width), row);
        known += width;
    }
}

/*: weigh_alike */
/* A weight of 1 in the place of each distance. */
static void sm_weigh_alike(int64_t *distances, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        distances[i] = 1;
    }
}

/*: weigh_by_distance */
/* floor(sqrt(x)), bit by bit. */
static int64_t sm__square_root(int64_t x)
{
    uint64_t left = (uint64_t)x;
    uint64_t root = 0;
    uint64_t bit = (uint64_t)1 << 62;
    while (bit > left) {
        bit >>= 2;
    }
    while (bit != 0) {
        if (left >= root + bit) {
            left -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
        bit >>= 2;
    }
    return (int64_t)root;
}

/* Weights in the place of rising distances: where the first is 0, 1 for each that is 0 and 0 for others; else
   floor(2^30 / floor(sqrt(distance))). */
static void sm_weigh_by_distance(int64_t *distances, uint32_t n)
{
    int is_at_zero = distances[0] == 0;
    uint32_t i;
    for (i = 0; i < n; i++) {
        if (is_at_zero) {
            distances[i] = distances[i] == 0;
        } else {
            distances[i] = ((int64_t)1 << 30) / sm__square_root(distances[i]);
        }
    }
}

/*: add_votes_i16 */
/* sum_k = sum_i weight_i votes_(row_i)k of the n rows that vote; votes: [all, width]. */
static void sm_add_votes_i16(int64_t *sums, const int64_t *weights, const uint32_t *rows, const SM_FLASH int16_t *votes,
    uint32_t n, uint32_t width)
{
    uint32_t i;
    uint32_t k;
    for (k = 0; k < width; k++) {
        sums[k] = 0;
        for (i = 0; i < n; i++) {
            sums[k] += weights[i] * votes[rows[i] * width + k];
        }
    }
}

/*: add_votes_i32 */
/* As add_votes_i16. */
static void sm_add_votes_i32(int64_t *sums, const int64_t *weights, const uint32_t *rows, const SM_FLASH int32_t *votes,
    uint32_t n, uint32_t width)
{
    uint32_t i;
    uint32_t k;
    for (k = 0; k < width; k++) {
        sums[k] = 0;
        for (i = 0; i < n; i++) {
            sums[k] += weights[i] * votes[rows[i] * width + k];
        }
    }
}

/*: mean_of_votes needs _clamp_i32 */
/* n sum_k / (the sum of all n weights), rounded half up, clamped to 32 bits. */
static void sm_mean_of_votes(int32_t *scores, const int64_t *sums, const int64_t *weights, uint32_t n, uint32_t width)
{
    int64_t total = 0;
    uint32_t i;
    uint32_t k;
    for (i = 0; i < n; i++) {
        total += weights[i];
    }
    for (k = 0; k < width; k++) {
        int64_t whole = sums[k] / total;
        int64_t rest = sums[k] % total;
        uint64_t halves;
        if (rest < 0) {
            whole--;
            rest += total;
        }
        /* The total is at most 2^46 and n at most 2^16, so this is below 2^64. */
        halves = 2 * (uint64_t)n * (uint64_t)rest + (uint64_t)total;
        scores[k] = sm__clamp_i32(whole * n + (int64_t)(halves / (2 * (uint64_t)total)));
    }
}

/*: _similarity */
/* The entry of a table at a squared distance; entries are 2^step apart, between two it is their line, past the end 0. */
static int32_t sm__similarity(int64_t distance, const SM_FLASH int32_t *table, uint32_t n, int32_t step)
{
    int64_t at = distance >> step;
    uint64_t part = (uint64_t)distance & (((uint64_t)1 << step) - 1);
    uint64_t fall;
    uint64_t high;
    uint64_t low;
    if (at >= (int64_t)n) {
        return 0;
    }
    /* Entries do not rise and are at most 2^16. In two factors, so that it fits 64 bits. */
    fall = (uint64_t)(table[at] - (at + 1 < (int64_t)n ? table[at + 1] : 0));
    high = fall * (part >> 16);
    low = fall * (part & 0xffff);
    return table[at] - (int32_t)(step < 16 ? low >> step : (high + (low >> 16)) >> (step - 16));
}

/*: _add_similarity */
/* Adds a row's similarity to each sum, by the row's coefficients. */
static void sm__add_similarity(int64_t *sums, int32_t similarity, const SM_FLASH int16_t *coefficients, uint32_t width)
{
    uint32_t k;
    for (k = 0; k < width; k++) {
        sums[k] += (int64_t)coefficients[k] * similarity;
    }
}

/*: similarities_i8 needs _distance_i8 _similarity _add_similarity */
/* sum_k = sum_s coefficient_sk similarity(x, vector_s); vectors: [n_vectors, n], coefficients: [n_vectors, width]. */
static void sm_similarities_i8(int64_t *sums, const int16_t *x, const SM_FLASH int8_t *vectors,
    const SM_FLASH int16_t *coefficients, const SM_FLASH int32_t *table, uint32_t n_table, uint32_t n_vectors, uint32_t n,
    uint32_t width, int32_t step)
{
    uint32_t s;
    for (s = 0; s < width; s++) {
        sums[s] = 0;
    }
    for (s = 0; s < n_vectors; s++) {
        int32_t similarity = sm__similarity(sm__distance_i8(x, vectors, n), table, n_table, step);
        sm__add_similarity(sums, similarity, coefficients, width);
        vectors += n;
        coefficients += width;
    }
}

/*: similarities_i16 needs _distance_i16 _similarity _add_similarity */
/* As similarities_i8. */
static void sm_similarities_i16(int64_t *sums, const int16_t *x, const SM_FLASH int16_t *vectors,
    const SM_FLASH int16_t *coefficients, const SM_FLASH int32_t *table, uint32_t n_table, uint32_t n_vectors, uint32_t n,
    uint32_t width, int32_t step)
{
    uint32_t s;
    for (s = 0; s < width; s++) {
        sums[s] = 0;
    }
    for (s = 0; s < n_vectors; s++) {
        int32_t similarity = sm__similarity(sm__distance_i16(x, vectors, n), table, n_table, step);
        sm__add_similarity(sums, similarity, coefficients, width);
        vectors += n;
        coefficients += width;
    }
}

/*: similarities_end needs _requantize _clamp_i32 */
/* start_k and the sum's upper part, floor((sum_k + 2^15) / 2^16), requantized; clamped to 32 bits. */
static void sm_similarities_end(int32_t *scores, const int64_t *sums, const SM_FLASH int32_t *start,
    const SM_FLASH int32_t *multipliers, const SM_FLASH uint8_t *shifts, uint32_t width)
{
    uint32_t k;
    for (k = 0; k < width; k++) {
        int32_t acc = (int32_t)sm__shift_right(sums[k] + 32768, 16);
        scores[k] = sm__clamp_i32(sm__requantize(acc, multipliers[k], shifts[k]) + start[k]);
    }
}
