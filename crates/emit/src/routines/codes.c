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

/*: bin_i64 */
/* code: number of edges below x (an int64_t), `missing` where it is missing. Edges rise. */
static void sm_bin_i64(uint8_t *code, int64_t x, int is_missing, const SM_FLASH int64_t *edges, uint32_t n, int missing)
{
    uint32_t low = 0;
    if (is_missing) {
        *code = (uint8_t)missing;
        return;
    }
    while (n > 0) {
        uint32_t half = n / 2;
        if (x > edges[low + half]) {
            low += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    *code = (uint8_t)low;
}

/*: bin_f64 needs _key_f64 */
/* As bin_i64 for doubles; NaN is missing. */
static void sm_bin_f64(uint8_t *code, double x, int is_missing, const SM_FLASH double *edges, uint32_t n, int missing)
{
    uint32_t low = 0;
    int64_t key = sm__key_f64(x);
    if (is_missing || key > 0x7ff0000000000000 || key < -0x7ff0000000000000 - 1) {
        *code = (uint8_t)missing;
        return;
    }
    while (n > 0) {
        uint32_t half = n / 2;
        if (key > sm__key_f64(edges[low + half])) {
            low += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    *code = (uint8_t)low;
}
