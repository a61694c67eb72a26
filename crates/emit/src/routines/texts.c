/* Texts: keys, what is counted of a text, and texts for the rows of a self-test. */

/*: _find */
/* The place of the key that equals a text, which is not missing, among n keys in rising order of bytes; n if none does. */
static uint32_t sm__find(sm_text text, const SM_FLASH uint8_t *bytes, const SM_FLASH uint32_t *starts, uint32_t n)
{
    uint32_t low = 0;
    uint32_t high = n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const SM_FLASH uint8_t *key = bytes + starts[middle];
        uint32_t length = starts[middle + 1] - starts[middle];
        uint32_t i = 0;
        while (i < length && i < text.length && key[i] == text.bytes[i]) {
            i++;
        }
        if (i == length && i == text.length) {
            return middle;
        }
        if (i == length || (i < text.length && key[i] < text.bytes[i])) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return n;
}

/*: _trim */
/* Space, tab, line feed, vertical tab, form feed, carriage return. */
static int sm__is_blank(uint8_t byte)
{
    return byte == 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

/* A text without blanks at both ends. */
static sm_text sm__trim(sm_text text)
{
    while (text.length > 0 && sm__is_blank(text.bytes[text.length - 1])) {
        text.length--;
    }
    while (text.length > 0 && sm__is_blank(text.bytes[0])) {
        text.bytes++;
        text.length--;
    }
    return text;
}

/*: _is_word */
/* Whether a byte belongs to a word: ASCII letters and digits, and every byte of what is beyond ASCII. */
static int sm__is_word(uint8_t byte)
{
    return byte >= 0x80 || (byte >= 0x30 && byte <= 0x39) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a);
}

/*: _characters */
/* Characters of UTF-8: bytes that do not go on with one. */
static uint32_t sm__characters(sm_text text)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < text.length; i++) {
        n += (text.bytes[i] & 0xc0) != 0x80;
    }
    return n;
}

/*: key_code needs _find */
/* code: the place of the key, `unseen` if the text is no key, `missing` if there is no text. Keys rise. */
static void sm_key_code(uint8_t *code, sm_text text, const SM_FLASH uint8_t *bytes, const SM_FLASH uint32_t *starts,
                        uint32_t n, int unseen, int missing)
{
    uint32_t place;
    if (text.bytes == 0) {
        *code = (uint8_t)missing;
        return;
    }
    place = sm__find(text, bytes, starts, n);
    *code = place < n ? (uint8_t)place : (uint8_t)unseen;
}

/*: label_encoder needs _find _canonical */
/* out: the value of the key, values[n] of other keys, values[n + 1] of a missing text. Keys rise. */
static void sm_label_encoder(double *out, sm_text text, const SM_FLASH uint8_t *bytes, const SM_FLASH uint32_t *starts,
                             const SM_FLASH double *values, uint32_t n)
{
    *out = sm__canonical(values[text.bytes == 0 ? n + 1 : sm__find(text, bytes, starts, n)]);
}

/*: hash_bucket needs _nan _fnv */
/* out: the hash of the text modulo n_buckets; NaN for a missing text. */
static void sm_hash_bucket(double *out, sm_text text, uint32_t n_buckets)
{
    uint32_t hash = SM__FNV;
    if (text.bytes == 0) {
        *out = sm__nan();
        return;
    }
    for (uint32_t i = 0; i < text.length; i++) {
        hash = sm__fnv(hash, text.bytes[i]);
    }
    *out = (double)(hash % n_buckets);
}

/*: _fnv */
#define SM__FNV ((uint32_t)0x811c9dc5)

/* FNV-1a of 32 bits, one byte further. */
static uint32_t sm__fnv(uint32_t hash, uint8_t byte)
{
    return (hash ^ byte) * (uint32_t)0x01000193;
}

/*: respell needs _find */
/* out: the value of the key, other texts as they are; the empty text and a missing one are missing. Keys rise. */
static void sm_respell(sm_text *out, sm_text text, const SM_FLASH uint8_t *bytes, const SM_FLASH uint32_t *starts,
                       const SM_FLASH uint8_t *value_bytes, const SM_FLASH uint32_t *value_starts, uint32_t n)
{
#ifdef __AVR__
#error "this model respells text, and a text cannot stand in the flash memory of an AVR"
#else
    uint32_t place;
    *out = text;
    if (text.bytes == 0) {
        return;
    }
    place = sm__find(text, bytes, starts, n);
    if (place < n) {
        out->bytes = value_bytes + value_starts[place];
        out->length = value_starts[place + 1] - value_starts[place];
    }
    if (out->length == 0) {
        out->bytes = 0;
    }
#endif
}

/*: text_characters needs _nan _trim _characters */
/* out: characters between blanks at both ends; NaN for a missing text. */
static void sm_text_characters(double *out, sm_text text)
{
    *out = text.bytes == 0 ? sm__nan() : (double)sm__characters(sm__trim(text));
}

/*: text_words needs _nan _is_word */
/* out: words, which are longest runs of bytes that belong to one; NaN for a missing text. */
static void sm_text_words(double *out, sm_text text)
{
    uint32_t n = 0;
    int inside = 0;
    for (uint32_t i = 0; text.bytes != 0 && i < text.length; i++) {
        int is_word = sm__is_word(text.bytes[i]);
        n += is_word && !inside;
        inside = is_word;
    }
    *out = text.bytes == 0 ? sm__nan() : (double)n;
}

/*: text_share needs _nan _trim _characters _is_word */
/* out: share of the characters that are capitals (of = 0), digits (1) or punctuation (2) of ASCII; 0 if none is, NaN for
   a missing text. */
static void sm_text_share(double *out, sm_text text, int of)
{
    uint32_t n = 0;
    if (text.bytes == 0) {
        *out = sm__nan();
        return;
    }
    text = sm__trim(text);
    for (uint32_t i = 0; i < text.length; i++) {
        uint8_t byte = text.bytes[i];
        if (of == 0) {
            n += byte >= 0x41 && byte <= 0x5a;
        } else if (of == 1) {
            n += byte >= 0x30 && byte <= 0x39;
        } else {
            n += byte > 0x20 && byte < 0x7f && !sm__is_word(byte);
        }
    }
    *out = n == 0 ? 0.0 : (double)n / (double)sm__characters(text);
}

/*: _hex */
/* Writes a number in lower-case hexadecimal digits without leading zeros, at most 16; returns how many. */
static uint32_t sm__hex(uint8_t *out, uint64_t word)
{
    uint32_t length = 1;
    while (length < 16 && (word >> (4 * length)) != 0) {
        length++;
    }
    for (uint32_t i = 0; i < length; i++) {
        uint32_t digit = (uint32_t)(word >> (4 * (length - 1 - i))) & 15;
        out[i] = (uint8_t)(digit < 10 ? 0x30 + digit : 0x57 + digit);
    }
    return length;
}

/*: _sentence needs _below */
static const SM_FLASH uint8_t sm__syllables[] = {
    'b', 'a', 't', 'o', 'N', 0xc3, 0xa9, 'r', 'e', '7', 'S', 'h', 'i', 0xe2, 0x80, 0x99
};
static const SM_FLASH uint8_t sm__syllable_starts[] = {0, 2, 4, 5, 7, 9, 10, 13, 16};
static const SM_FLASH uint8_t sm__between[] = {' ', ' ', ' ', ' ', ' ', ',', ' ', '!', ' ', '-'};
static const SM_FLASH uint8_t sm__between_starts[] = {0, 1, 2, 3, 5, 7, 9, 10, 10};

/* Writes a text of terms of a vocabulary and of other words, at most 256 bytes; returns how many. The draws are those of
   the rows of a self-test. */
static uint32_t sm__sentence(uint8_t *out, uint64_t *state, const SM_FLASH uint8_t *bytes,
                             const SM_FLASH uint32_t *starts, uint32_t n)
{
    uint32_t written = 0;
    uint32_t n_words = 1 + sm__below(state, 16);
    for (uint32_t i = 0; i < n_words; i++) {
        uint8_t made[9];
        uint32_t from = 0;
        uint32_t length = 0;
        uint32_t between;
        uint32_t j;
        int is_term = sm__below(state, 4) > 0 && n > 0;
        int is_capital;
        if (is_term) {
            uint32_t term = sm__below(state, n);
            from = starts[term];
            length = starts[term + 1] - from;
        } else {
            uint32_t n_syllables = 2 + sm__below(state, 2);
            for (j = 0; j < n_syllables; j++) {
                uint32_t syllable = sm__below(state, 8);
                for (uint32_t k = sm__syllable_starts[syllable]; k < sm__syllable_starts[syllable + 1]; k++) {
                    made[length] = sm__syllables[k];
                    length++;
                }
            }
        }
        is_capital = sm__below(state, 8) == 0;
        between = sm__below(state, 8);
        if (length + sm__between_starts[between + 1] - sm__between_starts[between] > 256 - written) {
            continue;
        }
        for (j = 0; j < length; j++) {
            uint8_t byte = is_term ? bytes[from + j] : made[j];
            out[written] = (uint8_t)(is_capital && byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte);
            written++;
        }
        for (j = sm__between_starts[between]; j < sm__between_starts[between + 1]; j++) {
            out[written] = sm__between[j];
            written++;
        }
    }
    return written;
}
