/* Codes of columns, and trees and tables over codes. */

/*: _key_f64 */
/* The integer that orders doubles as numbers are; -0 is 0. */
static int64_t sm__key_f64(double x)
{
    union { double value; int64_t bits; } u;
    int64_t key;
    u.value = x;
    key = u.bits < 0 ? u.bits ^ INT64_MAX : u.bits;
    return key == -1 ? 0 : key;
}

/*: _search */
/* Sets `low` to the number of edges that are below; these are the first of n. */
#define SM_SEARCH(low, edges, n, IS_BELOW) \
    do { \
        uint32_t left_ = (n); \
        low = 0; \
        while (left_ > 0) { \
            uint32_t half_ = left_ / 2; \
            if (IS_BELOW((edges)[low + half_])) { \
                low += half_ + 1; \
                left_ -= half_ + 1; \
            } else { \
                left_ = half_; \
            } \
        } \
    } while (0)

/*: bin_i64_i64 needs _search */
/* The code of an integer: the number of edges below it, `missing` where it is missing. Edges rise. */
static void sm_bin_i64_i64(uint8_t *code, int64_t x, int is_missing, const SM_FLASH int64_t *edges, uint32_t n, int missing)
{
    uint32_t low;
#define SM_IS_BELOW(edge) (x > (edge))
    SM_SEARCH(low, edges, n, SM_IS_BELOW);
#undef SM_IS_BELOW
    *code = (uint8_t)(is_missing ? (uint32_t)missing : low);
}

/*: bin_i64_i32 needs _search */
/* The code of an integer: the number of edges below it, `missing` where it is missing. Edges rise. */
static void sm_bin_i64_i32(uint8_t *code, int64_t x, int is_missing, const SM_FLASH int32_t *edges, uint32_t n, int missing)
{
    uint32_t low;
#define SM_IS_BELOW(edge) (x > (edge))
    SM_SEARCH(low, edges, n, SM_IS_BELOW);
#undef SM_IS_BELOW
    *code = (uint8_t)(is_missing ? (uint32_t)missing : low);
}

/*: bin_i64_i16 needs _search */
/* The code of an integer: the number of edges below it, `missing` where it is missing. Edges rise. */
static void sm_bin_i64_i16(uint8_t *code, int64_t x, int is_missing, const SM_FLASH int16_t *edges, uint32_t n, int missing)
{
    uint32_t low;
#define SM_IS_BELOW(edge) (x > (edge))
    SM_SEARCH(low, edges, n, SM_IS_BELOW);
#undef SM_IS_BELOW
    *code = (uint8_t)(is_missing ? (uint32_t)missing : low);
}

/*: bin_i64_i8 needs _search */
/* The code of an integer: the number of edges below it, `missing` where it is missing. Edges rise. */
static void sm_bin_i64_i8(uint8_t *code, int64_t x, int is_missing, const SM_FLASH int8_t *edges, uint32_t n, int missing)
{
    uint32_t low;
#define SM_IS_BELOW(edge) (x > (edge))
    SM_SEARCH(low, edges, n, SM_IS_BELOW);
#undef SM_IS_BELOW
    *code = (uint8_t)(is_missing ? (uint32_t)missing : low);
}

/*: bin_f64_f64 needs _search _key_f64 */
/* The code of a double: the number of edges below it, `missing` where it is missing or NaN. Edges rise. */
static void sm_bin_f64_f64(uint8_t *code, double x, int is_missing, const SM_FLASH double *edges, uint32_t n, int missing)
{
    int64_t key = sm__key_f64(x);
    uint32_t low;
    if (is_missing || key > INT64_C(0x7ff0000000000000) || key < -INT64_C(0x7ff0000000000000) - 1) {
        *code = (uint8_t)missing;
        return;
    }
#define SM_IS_BELOW(edge) (key > sm__key_f64((double)(edge)))
    SM_SEARCH(low, edges, n, SM_IS_BELOW);
#undef SM_IS_BELOW
    *code = (uint8_t)low;
}

/*: bin_f64_f32 needs _search _key_f64 */
/* The code of a double: the number of edges below it, `missing` where it is missing or NaN. Edges rise. */
static void sm_bin_f64_f32(uint8_t *code, double x, int is_missing, const SM_FLASH float *edges, uint32_t n, int missing)
{
    int64_t key = sm__key_f64(x);
    uint32_t low;
    if (is_missing || key > INT64_C(0x7ff0000000000000) || key < -INT64_C(0x7ff0000000000000) - 1) {
        *code = (uint8_t)missing;
        return;
    }
#define SM_IS_BELOW(edge) (key > sm__key_f64((double)(edge)))
    SM_SEARCH(low, edges, n, SM_IS_BELOW);
#undef SM_IS_BELOW
    *code = (uint8_t)low;
}

/*: bin_f64_i16 needs _search _key_f64 */
/* The code of a double: the number of edges below it, `missing` where it is missing or NaN. Edges rise. */
static void sm_bin_f64_i16(uint8_t *code, double x, int is_missing, const SM_FLASH int16_t *edges, uint32_t n, int missing)
{
    int64_t key = sm__key_f64(x);
    uint32_t low;
    if (is_missing || key > INT64_C(0x7ff0000000000000) || key < -INT64_C(0x7ff0000000000000) - 1) {
        *code = (uint8_t)missing;
        return;
    }
#define SM_IS_BELOW(edge) (key > sm__key_f64((double)(edge)))
    SM_SEARCH(low, edges, n, SM_IS_BELOW);
#undef SM_IS_BELOW
    *code = (uint8_t)low;
}

/*: recode */
/* A code in which `missing` stands for missing. */
static void sm_recode(uint8_t *code, const uint8_t *codes, uint32_t at, int missing)
{
    *code = codes[at] == 255 ? (uint8_t)missing : codes[at];
}

/*: recode_set */
/* A code of a set of n: n stands for missing, n + 1 for every code that is not below n. */
static void sm_recode_set(uint8_t *code, const uint8_t *codes, uint32_t at, uint32_t n)
{
    uint8_t given = codes[at];
    *code = given < n ? given : (uint8_t)(given == 255 ? n : n + 1);
}

/*: copy_i32 */
static void sm_copy_i32(int32_t *out, const SM_FLASH int32_t *values, uint32_t n)
{
    uint32_t i;
    for (i = 0; i < n; i++) {
        out[i] = values[i];
    }
}

/*: _little */
/* A number of 1, 2 or 4 bytes, the lowest first. */
static uint32_t sm__little(const SM_FLASH uint8_t *p, int n_bytes)
{
    uint32_t low = p[0];
    if (n_bytes > 1) {
        low |= (uint32_t)p[1] << 8;
    }
    if (n_bytes > 2) {
        low |= (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    }
    return low;
}

/*: _signed needs _little */
/* A signed number of 1, 2 or 4 bytes. */
static int32_t sm__signed(const SM_FLASH uint8_t *p, int n_bytes)
{
    uint32_t bits = sm__little(p, n_bytes);
    uint32_t sign = (uint32_t)1 << (8 * n_bytes - 1);
    return (int32_t)((int64_t)(bits ^ sign) - (int64_t)sign);
}

/*: take_u8 */
/* An integer, counted from the lowest one that its type has; where it is missing it is set later. */
static void sm_take_u8(uint8_t *out, int64_t x, int is_missing, int32_t low)
{
    (void)is_missing;
    *out = (uint8_t)((int32_t)x - low);
}

/*: take_u16 */
/* As take_u8. */
static void sm_take_u16(uint16_t *out, int64_t x, int is_missing, int32_t low)
{
    (void)is_missing;
    *out = (uint16_t)((int32_t)x - low);
}

/*: _any_missing */
/* Whether one of n_columns columns is missing. */
static int sm__any_missing(const uint8_t *missing, uint32_t n_columns)
{
    uint32_t any = 0, k;
    for (k = 0; k < (n_columns + 7) / 8; k++) {
        any |= missing[k];
    }
    return any != 0;
}

/*: fill_u8 needs _any_missing */
/* Sets of n integers what is missing: the first n_right to the largest, the others to 0. `columns` says of which column of
   n_columns each one is. */
static void sm_fill_u8(uint8_t *values, const uint8_t *missing, const SM_FLASH uint16_t *columns, uint32_t n_columns,
                       uint32_t n_right, uint32_t n)
{
    uint32_t k;
    if (!sm__any_missing(missing, n_columns)) {
        return;
    }
    for (k = 0; k < n; k++) {
        if (missing[columns[k] >> 3] >> (columns[k] & 7) & 1) {
            values[k] = k < n_right ? UINT8_MAX : 0;
        }
    }
}

/*: fill_u16 needs _any_missing */
/* As fill_u8. */
static void sm_fill_u16(uint16_t *values, const uint8_t *missing, const SM_FLASH uint16_t *columns, uint32_t n_columns,
                        uint32_t n_right, uint32_t n)
{
    uint32_t k;
    if (!sm__any_missing(missing, n_columns)) {
        return;
    }
    for (k = 0; k < n; k++) {
        if (missing[columns[k] >> 3] >> (columns[k] & 7) & 1) {
            values[k] = k < n_right ? UINT16_MAX : 0;
        }
    }
}

/*: _walk_plain needs _little */
/* The leaf that a row reaches below a root, where all ask for thresholds, of a byte (codes) or two (values). */
static const SM_FLASH uint8_t *sm__walk_plain(const SM_FLASH uint8_t *p, const uint8_t *codes, const uint16_t *values,
                                              int head, int threshold, int length, uint32_t leaf)
{
    /* A head below it has no leaf below it; then come those of a leaf on the left, on the right, on both sides. */
    const uint32_t none = (uint32_t)1 << (8 * head - 2);
#define SM_IS_RIGHT(at) ((threshold == 1 ? codes[at] : values[at]) > sm__little(p + head, threshold))
    for (;;) {
        uint32_t h = sm__little(p, head);
        if (h < none) {
            if (SM_IS_RIGHT(h)) {
                p += sm__little(p + head + threshold, length);
            }
            p += head + threshold + length;
        } else if (h < 2 * none) {
            if (!SM_IS_RIGHT(h - none)) {
                return p + head + threshold;
            }
            p += (uint32_t)(head + threshold) + leaf;
        } else if (h < 3 * none) {
            if (SM_IS_RIGHT(h - 2 * none)) {
                return p + head + threshold;
            }
            p += (uint32_t)(head + threshold) + leaf;
        } else {
            return p + head + threshold + (SM_IS_RIGHT(h - 3 * none) ? leaf : 0);
        }
    }
#undef SM_IS_RIGHT
}

/*: _walk needs _little */
/* The same where some ask for sets. `sizes` gives by code the bytes of a set, 0 for a threshold. */
static const SM_FLASH uint8_t *sm__walk(const SM_FLASH uint8_t *p, const uint8_t *codes, const SM_FLASH uint8_t *sizes,
                                        int head, int length, uint32_t leaf)
{
    for (;;) {
        uint32_t h = sm__little(p, head);
        uint32_t is_leaf = h >> (8 * head - 2);
        uint32_t at = h & (((uint32_t)1 << (8 * head - 2)) - 1);
        uint32_t size = sizes[at];
        uint8_t code = codes[at];
        int right;
        p += head;
        if (size > 0) {
            right = p[code >> 3] >> (code & 7) & 1;
            p += size;
        } else {
            right = code > p[0];
            p += 1;
        }
        if (is_leaf == 0) {
            p += right ? (uint32_t)length + sm__little(p, length) : (uint32_t)length;
        } else if (is_leaf == 3) {
            return right ? p + leaf : p;
        } else if (right == (is_leaf == 2)) {
            return p;
        } else {
            p += leaf;
        }
    }
}

/*: forest needs _walk _walk_plain _signed */
/* Adds a leaf of each tree to the scores. Rows are codes, or integers of two bytes. Bytes of a head, a threshold, a length;
   bits of a value; bytes of a first output; then the unit of values. */
static void sm_forest(int32_t *scores, const uint8_t *codes, const uint16_t *values, const SM_FLASH uint8_t *trees,
                      const SM_FLASH uint8_t *sizes, uint32_t n_trees, uint32_t width, int head, int threshold, int length,
                      int bits, int first, int32_t unit)
{
    const uint32_t leaf = (width * (uint32_t)bits + 7) / 8;
    for (; n_trees > 0; n_trees--) {
        uint32_t n_bytes = sm__little(trees, length);
        const SM_FLASH uint8_t *p = trees + length + first;
        int32_t *out = first ? scores + sm__little(trees + length, first) : scores;
        uint32_t k;
        trees += (uint32_t)length + n_bytes;
        p = sizes ? sm__walk(p, codes, sizes, head, length, leaf)
                  : sm__walk_plain(p, codes, values, head, threshold, length, leaf);
        for (k = 0; k < width; k++) {
            if (bits == 4) {
                out[k] += ((int32_t)((p[k / 2] >> 4 * (k % 2) & 15) ^ 8) - 8) * unit;
            } else {
                out[k] += sm__signed(p, bits / 8) * unit;
                p += bits / 8;
            }
        }
    }
}

/*: tables needs _signed */
/* Sums of a value a term: a term is a code, its places, a second code, its places (1 without one); the last row is the
   start. Values have n_bytes each; scores have `shift` fraction bits more. */
static void sm_tables(int32_t *scores, const uint8_t *codes, const SM_FLASH uint16_t *terms, const SM_FLASH uint8_t *values,
                      int n_bytes, uint32_t n_terms, uint32_t n_rows, uint32_t width, int shift)
{
    uint32_t first = 0, t, k;
    for (k = 0; k < width; k++) {
        scores[k] = sm__signed(values + ((n_rows - 1) * width + k) * (uint32_t)n_bytes, n_bytes);
    }
    for (t = 0; t < n_terms; t++, terms += 4) {
        uint32_t n_a = terms[1], n_b = terms[3];
        uint32_t a = codes[terms[0]], b = codes[terms[2]];
        uint32_t row = first + (a < n_a ? a : n_a - 1) * n_b + (b < n_b ? b : n_b - 1);
        for (k = 0; k < width; k++) {
            scores[k] += sm__signed(values + (row * width + k) * (uint32_t)n_bytes, n_bytes);
        }
        first += n_a * n_b;
    }
    for (k = 0; k < width; k++) {
        scores[k] *= (int32_t)1 << shift;
    }
}

/*: one_hot_code */
static void sm_one_hot_code(double *out, const uint8_t *codes, uint32_t at, uint32_t depth)
{
    uint32_t k;
    for (k = 0; k < depth; k++) {
        out[k] = k == codes[at] ? 1.0 : 0.0;
    }
}

/*: one_hot */
static void sm_one_hot(double *out, const double *code, uint32_t depth)
{
    uint32_t k;
    for (k = 0; k < depth; k++) {
        out[k] = code[0] == (double)k ? 1.0 : 0.0;
    }
}
