/* Rows that a seed regenerates, and the digest of what is made of them. */

/*: _mix */
static uint64_t sm__mix(uint64_t word)
{
    word = (word ^ (word >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ (word >> 27)) * UINT64_C(0x94d049bb133111eb);
    return word ^ (word >> 31);
}

/*: _next_word needs _mix */
/* The next random word: SplitMix64. */
static uint64_t sm__next_word(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    return sm__mix(*state);
}

/*: _below needs _next_word */
/* A random number below n. */
static uint32_t sm__below(uint64_t *state, uint32_t n)
{
    return (uint32_t)(((sm__next_word(state) >> 32) * n) >> 32);
}

/*: _digest */
/* Adds a word to a digest. */
static void sm__digest(uint64_t *digest, uint64_t word)
{
    word = (*digest ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    *digest = word << 31 | word >> 33;
}

/*: _drawn needs _below */
/* What a cell is: 0 missing, 1 the lowest, 2 the highest, 3 a random word, 4 one of n constants moved by `step`. */
typedef struct {
    int kind;
    uint64_t word;
    uint32_t at;
    int step;
} sm_drawn;

static sm_drawn sm__drawn(uint64_t *state, uint32_t n)
{
    sm_drawn drawn;
    uint32_t kind = sm__below(state, 16);
    /* One by one: a compiler may ask a library for the zeros of a whole struct. */
    drawn.kind = 0;
    drawn.word = 0;
    drawn.at = 0;
    drawn.step = 0;
    if (kind < 3) {
        drawn.kind = (int)kind;
    } else if (kind == 3 || n == 0) {
        drawn.kind = 3;
        drawn.word = sm__next_word(state);
    } else {
        drawn.kind = 4;
        drawn.at = sm__below(state, n);
        drawn.step = (int)sm__below(state, 3) - 1;
    }
    return drawn;
}

/*: _moved */
/* An integer moved by a step, as far as there is room. */
static int64_t sm__moved(int64_t x, int step)
{
    if ((step > 0 && x == INT64_MAX) || (step < 0 && x == INT64_MIN)) {
        return x;
    }
    return x + step;
}

/*: _word_i64 */
/* The bits of a word as an integer. */
static int64_t sm__word_i64(uint64_t word)
{
    return word >> 63 ? -(int64_t)(~word) - 1 : (int64_t)word;
}

/*: _word_time */
/* A point in time within 142 years of 1970: the word divided by 2^11, towards the lower. */
static int64_t sm__word_time(uint64_t word)
{
    return word >> 63 ? -(int64_t)(~word >> 11) - 1 : (int64_t)(word >> 11);
}

/*: _draw_i64 needs _drawn _moved _word_i64 _word_time */
/* A cell of integers; true where it is missing. */
static int sm__draw_i64(int64_t *x, uint64_t *state, const SM_FLASH int64_t *numbers, uint32_t n, int is_time)
{
    sm_drawn drawn = sm__drawn(state, n);
    switch (drawn.kind) {
    case 0:
        *x = 0;
        break;
    case 1:
        *x = INT64_MIN;
        break;
    case 2:
        *x = INT64_MAX;
        break;
    case 3:
        *x = is_time ? sm__word_time(drawn.word) : sm__word_i64(drawn.word);
        break;
    default:
        *x = sm__moved(numbers[drawn.at], drawn.step);
    }
    return drawn.kind == 0;
}

/*: _draw_f64 needs _drawn _moved _key_f64 */
/* A cell of doubles; true where it is missing. */
static int sm__draw_f64(double *x, uint64_t *state, const SM_FLASH double *numbers, uint32_t n)
{
    const int64_t limit = INT64_C(0x7ff0000000000000);
    sm_drawn drawn = sm__drawn(state, n);
    union { double value; uint64_t bits; } u;
    int64_t key;
    u.bits = 0;
    switch (drawn.kind) {
    case 0:
        break;
    case 1:
        u.bits = UINT64_C(0xfff0000000000000);
        break;
    case 2:
        u.bits = UINT64_C(0x7ff0000000000000);
        break;
    case 3:
        u.bits = drawn.word % 8 == 0 ? UINT64_C(0x7ff8000000000000) : drawn.word;
        break;
    default:
        key = sm__moved(sm__key_f64(numbers[drawn.at]), drawn.step);
        key = key > limit ? limit : key < -limit - 1 ? -limit - 1 : key;
        u.bits = key < 0 ? (uint64_t)(key ^ INT64_MAX) : (uint64_t)key;
    }
    *x = u.value;
    return drawn.kind == 0;
}

/*: _copied */
/* Text as it stands in a table: its bytes in a buffer. */
static uint32_t sm__copied(uint8_t *out, const SM_FLASH uint8_t *bytes, const SM_FLASH uint32_t *starts, uint32_t at)
{
    uint32_t i, n = starts[at + 1] - starts[at];
    for (i = 0; i < n; i++) {
        out[i] = bytes[starts[at] + i];
    }
    return n;
}

/*: _draw_key needs _drawn _hex _copied */
/* A cell of keys, in a buffer: its length, or -1 where it is missing. */
static int32_t sm__draw_key(uint8_t *out, uint64_t *state, const SM_FLASH uint8_t *bytes, const SM_FLASH uint32_t *starts,
                            uint32_t n, int is_shared)
{
    sm_drawn drawn = sm__drawn(state, n);
    switch (drawn.kind) {
    case 0:
        return -1;
    case 1:
        return 0;
    case 2:
        out[0] = 0xf4;
        out[1] = 0x8f;
        out[2] = 0xbf;
        out[3] = 0xbf;
        return 4;
    case 3:
        return (int32_t)sm__hex(out, is_shared ? drawn.word % 16 : drawn.word);
    default:
        return (int32_t)sm__copied(out, bytes, starts, drawn.at);
    }
}

/*: _draw_time needs _drawn _word_time _time_write _copied */
/* A cell of points in time as text. */
static int32_t sm__draw_time(uint8_t *out, uint64_t *state, const SM_FLASH uint8_t *bytes, const SM_FLASH uint32_t *starts,
                             uint32_t n, int format)
{
    sm_drawn drawn = sm__drawn(state, n);
    switch (drawn.kind) {
    case 0:
        return -1;
    case 1:
        return 0;
    case 2:
        out[0] = 0xf4;
        out[1] = 0x8f;
        out[2] = 0xbf;
        out[3] = 0xbf;
        return 4;
    case 3:
        return (int32_t)sm__time_write(out, sm__word_time(drawn.word), format);
    default:
        return (int32_t)sm__copied(out, bytes, starts, drawn.at);
    }
}

/*: _draw_sentence needs _drawn _sentence */
/* A cell of sentences: `n` keys as they were counted, and the terms of a vocabulary. */
static int32_t sm__draw_sentence(uint8_t *out, uint64_t *state, uint32_t n, const SM_FLASH uint8_t *bytes,
                                 const SM_FLASH uint32_t *starts, uint32_t n_terms)
{
    sm_drawn drawn = sm__drawn(state, n);
    switch (drawn.kind) {
    case 0:
        return -1;
    case 1:
        return 0;
    case 2:
        out[0] = 0xf4;
        out[1] = 0x8f;
        out[2] = 0xbf;
        out[3] = 0xbf;
        return 4;
    default:
        return (int32_t)sm__sentence(out, state, bytes, starts, n_terms);
    }
}
