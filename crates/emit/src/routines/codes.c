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

/*: _leaf needs _little */
/* A value of a leaf of 1, 2 or 4 bytes. */
static int32_t sm__leaf(const SM_FLASH uint8_t *p, int n_bytes)
{
    uint32_t bits = sm__little(p, n_bytes);
    uint32_t sign = (uint32_t)1 << (8 * n_bytes - 1);
    return (int32_t)((int64_t)(bits ^ sign) - (int64_t)sign);
}

/*: _walk_plain needs _little */
/* The leaf that a row reaches below a root, where all ask for thresholds: most heads have no leaf below them, and need no
   mask. */
static const SM_FLASH uint8_t *sm__walk_plain(const SM_FLASH uint8_t *p, const uint8_t *codes, int head, int length,
                                              uint32_t leaf)
{
    const uint32_t none = (uint32_t)1 << (8 * head - 2);
    for (;;) {
        uint32_t h = head == 1 ? p[0] : sm__little(p, 2);
        int right;
        while (h < none) {
            if (codes[h] > p[head]) {
                p += sm__little(p + head + 1, length);
            }
            p += head + 1 + length;
            h = head == 1 ? p[0] : sm__little(p, 2);
        }
        right = codes[h & (none - 1)] > p[head];
        p += head + 1;
        if (h >= 3 * none) {
            return right ? p + leaf : p;
        }
        if (h < 2 * none) {
            if (!right) {
                return p;
            }
            p += leaf;
        } else {
            if (right) {
                return p + length + sm__little(p, length);
            }
            p += length;
        }
    }
}

/*: _walk needs _little */
/* The leaf that a row reaches below a root. `sizes` gives by code the bytes of a set, 0 for a threshold. */
static const SM_FLASH uint8_t *sm__walk(const SM_FLASH uint8_t *p, const uint8_t *codes, const SM_FLASH uint8_t *sizes,
                                        int head, int length, uint32_t leaf)
{
    for (;;) {
        uint32_t h = head == 1 ? p[0] : sm__little(p, 2);
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
        if (is_leaf & 1) {
            if (!right) {
                return p;
            }
            p += leaf;
        } else if (right) {
            p += (uint32_t)length + sm__little(p, length);
        } else {
            p += length;
            continue;
        }
        if (is_leaf & 2) {
            return p;
        }
    }
}

/*: forest needs _walk _walk_plain _leaf */
/* Adds a leaf of each tree to the scores: bytes of a head, a length, a value and a first output, then the unit of values. */
static void sm_forest(int32_t *scores, const uint8_t *codes, const SM_FLASH uint8_t *trees, const SM_FLASH uint8_t *sizes,
                      uint32_t n_trees, uint32_t width, int head, int length, int value, int first, int32_t unit)
{
    uint32_t leaf = width * (uint32_t)value;
    for (; n_trees > 0; n_trees--) {
        uint32_t n_bytes = sm__little(trees, length);
        const SM_FLASH uint8_t *p = trees + length + first;
        int32_t *out = first ? scores + sm__little(trees + length, first) : scores;
        uint32_t k;
        trees += (uint32_t)length + n_bytes;
        p = sizes ? sm__walk(p, codes, sizes, head, length, leaf) : sm__walk_plain(p, codes, head, length, leaf);
        for (k = 0; k < width; k++) {
            out[k] += sm__leaf(p, value) * unit;
            p += value;
        }
    }
}

/*: tables_i8 */
/* Sums of a value a term: a term is a code, its places, a second code, its places (1 without one); the last row is the
   start. Scores have `shift` fraction bits more. */
static void sm_tables_i8(int32_t *scores, const uint8_t *codes, const SM_FLASH uint16_t *terms, const SM_FLASH int8_t *values,
                           uint32_t n_terms, uint32_t n_rows, uint32_t width, int shift)
{
    uint32_t first = 0, t, k;
    for (k = 0; k < width; k++) {
        scores[k] = values[(n_rows - 1) * width + k];
    }
    for (t = 0; t < n_terms; t++, terms += 4) {
        uint32_t n_a = terms[1], n_b = terms[3];
        uint32_t a = codes[terms[0]], b = codes[terms[2]];
        uint32_t row = first + (a < n_a ? a : n_a - 1) * n_b + (b < n_b ? b : n_b - 1);
        for (k = 0; k < width; k++) {
            scores[k] += values[row * width + k];
        }
        first += n_a * n_b;
    }
    for (k = 0; k < width; k++) {
        scores[k] *= (int32_t)1 << shift;
    }
}

/*: tables_i16 */
/* Sums of a value a term: a term is a code, its places, a second code, its places (1 without one); the last row is the
   start. Scores have `shift` fraction bits more. */
static void sm_tables_i16(int32_t *scores, const uint8_t *codes, const SM_FLASH uint16_t *terms, const SM_FLASH int16_t *values,
                           uint32_t n_terms, uint32_t n_rows, uint32_t width, int shift)
{
    uint32_t first = 0, t, k;
    for (k = 0; k < width; k++) {
        scores[k] = values[(n_rows - 1) * width + k];
    }
    for (t = 0; t < n_terms; t++, terms += 4) {
        uint32_t n_a = terms[1], n_b = terms[3];
        uint32_t a = codes[terms[0]], b = codes[terms[2]];
        uint32_t row = first + (a < n_a ? a : n_a - 1) * n_b + (b < n_b ? b : n_b - 1);
        for (k = 0; k < width; k++) {
            scores[k] += values[row * width + k];
        }
        first += n_a * n_b;
    }
    for (k = 0; k < width; k++) {
        scores[k] *= (int32_t)1 << shift;
    }
}

/*: tables_i32 */
/* Sums of a value a term: a term is a code, its places, a second code, its places (1 without one); the last row is the
   start. Scores have `shift` fraction bits more. */
static void sm_tables_i32(int32_t *scores, const uint8_t *codes, const SM_FLASH uint16_t *terms, const SM_FLASH int32_t *values,
                           uint32_t n_terms, uint32_t n_rows, uint32_t width, int shift)
{
    uint32_t first = 0, t, k;
    for (k = 0; k < width; k++) {
        scores[k] = values[(n_rows - 1) * width + k];
    }
    for (t = 0; t < n_terms; t++, terms += 4) {
        uint32_t n_a = terms[1], n_b = terms[3];
        uint32_t a = codes[terms[0]], b = codes[terms[2]];
        uint32_t row = first + (a < n_a ? a : n_a - 1) * n_b + (b < n_b ? b : n_b - 1);
        for (k = 0; k < width; k++) {
            scores[k] += values[row * width + k];
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
