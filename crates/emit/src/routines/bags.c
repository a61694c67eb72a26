/* Bags: ids that rise behind their number (ids[0]), and a weight of each. */

/*: _terms needs _trim _is_word */
/* Where the terms of a text stand: runs of ngram_min to ngram_max pieces, which are words, or characters where a run of
   blanks is one. Pieces and terms are read in place. */
typedef struct {
    const uint8_t *bytes;
    uint32_t length;
    int words;
    int fold;
    uint32_t ngram_min;
    uint32_t ngram_max;
    /* The term; where the piece behind it and its own second piece begin; its pieces. */
    uint32_t start;
    uint32_t end;
    uint32_t next;
    uint32_t second;
    uint32_t n;
} sm__terms;

/* Whether a byte stands between words, or is a blank: a run of these is one blank of a term. */
static int sm__is_between(const sm__terms *terms, uint32_t at)
{
    uint8_t byte = terms->bytes[at];
    return terms->words ? !sm__is_word(byte) : sm__is_blank(byte);
}

/* The end of a run of bytes that stand between pieces. */
static uint32_t sm__behind_blanks(const sm__terms *terms, uint32_t at)
{
    while (at < terms->length && sm__is_between(terms, at)) {
        at++;
    }
    return at;
}

/* The end of the piece that begins at a place. */
static uint32_t sm__piece_end(const sm__terms *terms, uint32_t at)
{
    if (terms->words) {
        while (at < terms->length && !sm__is_between(terms, at)) {
            at++;
        }
        return at;
    }
    if (sm__is_between(terms, at)) {
        return sm__behind_blanks(terms, at);
    }
    do {
        at++;
    } while (at < terms->length && (terms->bytes[at] & 0xc0) == 0x80);
    return at;
}

/* The terms of a text; of a missing one there are none. */
static sm__terms sm__terms_of(sm_text text, int words, int fold, uint32_t ngram_min, uint32_t ngram_max)
{
    sm__terms terms;
    text = sm__trim(text);
    terms.bytes = text.bytes;
    terms.length = text.bytes == 0 ? 0 : text.length;
    terms.words = words;
    terms.fold = fold;
    terms.ngram_min = ngram_min;
    terms.ngram_max = ngram_max;
    terms.start = words ? sm__behind_blanks(&terms, 0) : 0;
    terms.end = terms.start;
    terms.next = terms.start;
    terms.second = terms.start;
    terms.n = 0;
    return terms;
}

/* Steps to the next term; 0 behind the last one. */
static int sm__next_term(sm__terms *terms)
{
    for (;;) {
        if (terms->n == terms->ngram_max || terms->next >= terms->length) {
            if (terms->n == 0) {
                return 0;
            }
            terms->start = terms->second;
            terms->next = terms->second;
            terms->n = 0;
            continue;
        }
        terms->end = sm__piece_end(terms, terms->next);
        terms->next = terms->words ? sm__behind_blanks(terms, terms->end) : terms->end;
        terms->n++;
        if (terms->n == 1) {
            terms->second = terms->next;
        }
        if (terms->n >= terms->ngram_min) {
            return 1;
        }
    }
}

/* The byte of the term that stands at *at, which it steps over. */
static uint8_t sm__term_byte(const sm__terms *terms, uint32_t *at)
{
    uint8_t byte = terms->bytes[*at];
    if (sm__is_between(terms, *at)) {
        while (*at < terms->end && sm__is_between(terms, *at)) {
            *at += 1;
        }
        return 0x20;
    }
    *at += 1;
    return terms->fold && byte >= 0x41 && byte <= 0x5a ? (uint8_t)(byte + 0x20) : byte;
}

/*: _bag_add */
/* Counts an id in a bag; *full becomes 1 where the bag has `places` others. */
static void sm__bag_add(uint32_t *ids, double *weights, uint8_t *full, uint32_t places, uint32_t id)
{
    uint32_t low = 1;
    uint32_t high = ids[0] + 1;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (ids[middle] < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low <= ids[0] && ids[low] == id) {
        weights[low - 1] += 1.0;
        return;
    }
    if (ids[0] >= places) {
        *full = 1;
        return;
    }
    ids[0] += 1;
    for (high = ids[0]; high > low; high--) {
        ids[high] = ids[high - 1];
        weights[high - 1] = weights[high - 2];
    }
    ids[low] = id;
    weights[low - 1] = 1.0;
}

/*: tokens needs _terms _bag_add */
/* ids, weights: how often each of n_known terms stands in the text; full: whether more of them stand there than the bag
   has places. The known terms rise. */
static void sm_tokens(uint32_t *ids, double *weights, uint8_t *full, sm_text text, const SM_FLASH uint8_t *bytes,
                      const SM_FLASH uint32_t *starts, uint32_t n_known, uint32_t places, int words, int fold,
                      uint32_t ngram_min, uint32_t ngram_max)
{
    sm__terms terms = sm__terms_of(text, words, fold, ngram_min, ngram_max);
    ids[0] = 0;
    *full = 0;
    while (sm__next_term(&terms)) {
        uint32_t low = 0;
        uint32_t high = n_known;
        while (low < high) {
            uint32_t middle = low + (high - low) / 2;
            uint32_t i = starts[middle];
            uint32_t at = terms.start;
            int order = 0;
            while (order == 0 && i < starts[middle + 1] && at < terms.end) {
                order = (int)bytes[i] - (int)sm__term_byte(&terms, &at);
                i++;
            }
            if (order == 0 && i == starts[middle + 1] && at == terms.end) {
                sm__bag_add(ids, weights, full, places, middle);
                break;
            }
            if (order < 0 || (order == 0 && at < terms.end)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
    }
}

/*: hash_tokens needs _terms _bag_add _fnv */
/* As tokens; the id of a term is the low bits of its hash. */
static void sm_hash_tokens(uint32_t *ids, double *weights, uint8_t *full, sm_text text, uint32_t n_known, uint32_t places,
                           int words, int fold, uint32_t ngram_min, uint32_t ngram_max)
{
    sm__terms terms = sm__terms_of(text, words, fold, ngram_min, ngram_max);
    ids[0] = 0;
    *full = 0;
    while (sm__next_term(&terms)) {
        uint32_t hash = SM__FNV;
        uint32_t at = terms.start;
        while (at < terms.end) {
            hash = sm__fnv(hash, sm__term_byte(&terms, &at));
        }
        sm__bag_add(ids, weights, full, places, hash & (n_known - 1));
    }
}

/*: bag_copy */
/* out: the weights of a bag. */
static void sm_bag_copy(double *out, const uint32_t *ids, const double *weights)
{
    for (uint32_t i = 0; i < ids[0]; i++) {
        out[i] = weights[i];
    }
}

/*: bag_sublinear needs _log */
/* weights: 1 + ln of each count. */
static void sm_bag_sublinear(double *weights, const uint32_t *ids)
{
    for (uint32_t i = 0; i < ids[0]; i++) {
        weights[i] = 1.0 + sm__log(weights[i]);
    }
}

/*: bag_binary */
/* weights: 1. */
static void sm_bag_binary(double *weights, const uint32_t *ids)
{
    for (uint32_t i = 0; i < ids[0]; i++) {
        weights[i] = 1.0;
    }
}

/*: bag_times */
/* weights: each times the factor of its id. */
static void sm_bag_times(double *weights, const uint32_t *ids, const SM_FLASH double *factors)
{
    for (uint32_t i = 0; i < ids[0]; i++) {
        weights[i] *= factors[ids[i + 1]];
    }
}

/*: _bag_divide needs _canonical */
/* Divides weights by a length, unless it is 0. */
static void sm__bag_divide(double *weights, const uint32_t *ids, double length)
{
    for (uint32_t i = 0; i < ids[0] && length != 0.0; i++) {
        weights[i] = sm__canonical(weights[i] / length);
    }
}

/*: bag_l1 needs _bag_divide */
/* weights: each divided by the sum of absolute ones, unless it is 0. */
static void sm_bag_l1(double *weights, const uint32_t *ids)
{
    double sum = 0.0;
    for (uint32_t i = 0; i < ids[0]; i++) {
        sum = sum + (weights[i] < 0.0 ? -weights[i] : weights[i]);
    }
    sm__bag_divide(weights, ids, sum);
}

/*: bag_l2 needs _bag_divide _sqrt */
/* weights: each divided by the root of the sum of squares, unless it is 0. */
static void sm_bag_l2(double *weights, const uint32_t *ids)
{
    double sum = 0.0;
    for (uint32_t i = 0; i < ids[0]; i++) {
        double square = weights[i] * weights[i];
        sum = sum + square;
    }
    sm__bag_divide(weights, ids, sm__sqrt(sum));
}

/*: bag_gather */
/* out[n]: the weights of wanted ids, which rise; 0 of those that are not in the bag. */
static void sm_bag_gather(double *out, const uint32_t *ids, const double *weights, const SM_FLASH uint32_t *wanted,
                          uint32_t n)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < n; i++) {
        while (at < ids[0] && ids[at + 1] < wanted[i]) {
            at++;
        }
        out[i] = at < ids[0] && ids[at + 1] == wanted[i] ? weights[at] : 0.0;
    }
}

/*: bag_gemm needs _canonical */
/* out[width]: the sum over the bag of weight times the row of its id in w, from 0, in the order of the ids. */
static void sm_bag_gemm(double *out, const uint32_t *ids, const double *weights, const SM_FLASH double *w, uint32_t width)
{
    for (uint32_t i = 0; i < width; i++) {
        out[i] = 0.0;
    }
    for (uint32_t at = 0; at < ids[0]; at++) {
        const SM_FLASH double *row = w + ids[at + 1] * width;
        for (uint32_t i = 0; i < width; i++) {
            double product = weights[at] * row[i];
            out[i] = out[i] + product;
        }
    }
    for (uint32_t i = 0; i < width; i++) {
        out[i] = sm__canonical(out[i]);
    }
}
