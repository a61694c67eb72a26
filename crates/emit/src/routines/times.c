/* Points in time: the calendar in integers, and ways of writing them. */

/*: time_part_i64 needs _nan _time_part */
/* out: a part of microseconds since 1970-01-01 00:00 UTC; NaN where they are missing. */
static void sm_time_part_i64(double *out, int64_t x, int is_missing, int part)
{
    *out = is_missing ? sm__nan() : (double)sm__time_part(x, part);
}

/*: time_part_text needs _nan _trim _time_part _time_parse */
/* out: a part of the time that a text says in this pattern; NaN for another text and a missing one. */
static void sm_time_part_text(double *out, sm_text text, const SM_FLASH uint8_t *pattern, uint32_t length, int part)
{
    int64_t micros = 0;
    if (text.bytes != 0 && sm__time_parse(&micros, sm__trim(text), pattern, length)) {
        *out = (double)sm__time_part(micros, part);
    } else {
        *out = sm__nan();
    }
}

/*: _month_length */
/* Days of a month from 1. */
static int32_t sm__month_length(int32_t year, int32_t month)
{
    if (month == 2) {
        return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
    }
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/*: _months */
static const SM_FLASH uint8_t sm__months[] =
    "januaryfebruarymarchaprilmayjunejulyaugustseptemberoctobernovemberdecember";
static const SM_FLASH uint8_t sm__month_starts[] = {0, 7, 15, 20, 25, 28, 32, 36, 42, 51, 58, 66, 74};

/*: _time_part needs _month_length */
/* A part of microseconds since 1970-01-01 00:00 UTC: these (0), year (1), month from 1 (2), day from 1 (3), weekday from
   Monday (4), day of the year from 1 (5), hour (6), minute of the day (7), second (8). */
static int64_t sm__time_part(int64_t micros, int part)
{
    int64_t of_day = micros % 86400000000;
    int32_t days = (int32_t)(micros / 86400000000);
    int32_t second;
    int32_t era;
    int32_t of_era;
    int32_t year;
    int32_t from_march;
    int32_t shifted;
    int32_t day;
    int32_t month;
    if (part == 0) {
        return micros;
    }
    if (of_day < 0) {
        of_day += 86400000000;
        days--;
    }
    second = (int32_t)(of_day / 1000000);
    if (part == 6) {
        return second / 3600;
    }
    if (part == 7) {
        return second / 60;
    }
    if (part == 8) {
        return second % 60;
    }
    if (part == 4) {
        return ((days + 3) % 7 + 7) % 7;
    }
    /* Eras of 400 years from a first of March. */
    era = (days + 719468) / 146097;
    of_era = (days + 719468) % 146097;
    if (of_era < 0) {
        of_era += 146097;
        era--;
    }
    year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    from_march = of_era - (365 * year + year / 4 - year / 100);
    shifted = (5 * from_march + 2) / 153;
    day = from_march - (153 * shifted + 2) / 5 + 1;
    month = shifted < 10 ? shifted + 3 : shifted - 9;
    year += era * 400 + (month <= 2);
    if (part == 1) {
        return year;
    }
    if (part == 2) {
        return month;
    }
    if (part == 5) {
        for (int32_t m = 1; m < month; m++) {
            day += sm__month_length(year, m);
        }
    }
    return day;
}

/*: _digits */
/* A number of least to most digits at *at, as many as there are, which it steps over; -1 if there are fewer. */
static int32_t sm__digits(sm_text text, uint32_t *at, uint32_t least, uint32_t most)
{
    int32_t value = 0;
    uint32_t n = 0;
    while (n < most && *at < text.length && text.bytes[*at] >= 0x30 && text.bytes[*at] <= 0x39) {
        value = value * 10 + (text.bytes[*at] - 0x30);
        *at += 1;
        n++;
    }
    return n < least ? -1 : value;
}

/*: _month_name needs _months */
/* The month, from 1, whose name or its first three letters stand at *at in any case, which it steps over; -1 if none. */
static int32_t sm__month_name(sm_text text, uint32_t *at)
{
    uint32_t start = *at;
    while (*at < text.length && (text.bytes[*at] | 0x20) >= 0x61 && (text.bytes[*at] | 0x20) <= 0x7a) {
        *at += 1;
    }
    for (int32_t month = 0; month < 12; month++) {
        uint32_t name = sm__month_starts[month];
        uint32_t length = *at - start;
        uint32_t i = 0;
        if (length != 3 && length != sm__month_starts[month + 1] - name) {
            continue;
        }
        while (i < length && (text.bytes[start + i] | 0x20) == sm__months[name + i]) {
            i++;
        }
        if (i == length) {
            return month + 1;
        }
    }
    return -1;
}

/*: _fraction */
/* Microseconds of an optional fraction of up to nine digits at *at, which it steps over; -1 if it is odd. */
static int32_t sm__fraction(sm_text text, uint32_t *at)
{
    int32_t value = 0;
    uint32_t n = 0;
    if (*at >= text.length || (text.bytes[*at] != 0x2e && text.bytes[*at] != 0x2c)) {
        return 0;
    }
    *at += 1;
    while (*at < text.length && text.bytes[*at] >= 0x30 && text.bytes[*at] <= 0x39) {
        if (n < 6) {
            value = value * 10 + (text.bytes[*at] - 0x30);
        }
        *at += 1;
        n++;
    }
    if (n == 0 || n > 9) {
        return -1;
    }
    while (n < 6) {
        value *= 10;
        n++;
    }
    return value;
}

/*: _zone needs _digits */
/* Minutes east of UTC of an optional zone at *at, which it steps over; INT32_MIN if it is odd. */
static int32_t sm__zone(sm_text text, uint32_t *at)
{
    int32_t sign;
    int32_t hours;
    int32_t minutes = 0;
    if (*at >= text.length) {
        return 0;
    }
    sign = text.bytes[*at];
    *at += 1;
    if ((sign | 0x20) == 0x7a) {
        return 0;
    }
    if (sign != 0x2b && sign != 0x2d) {
        return INT32_MIN;
    }
    hours = sm__digits(text, at, 2, 2);
    if (*at < text.length && text.bytes[*at] == 0x3a) {
        *at += 1;
    }
    if (*at < text.length) {
        minutes = sm__digits(text, at, 2, 2);
    }
    if (hours < 0 || hours >= 24 || minutes < 0 || minutes >= 60) {
        return INT32_MIN;
    }
    minutes += hours * 60;
    return sign == 0x2b ? minutes : -minutes;
}

/*: _time_parse needs _month_length _digits _month_name _fraction _zone */
/* Microseconds since 1970-01-01 00:00 UTC of a text in a pattern: Y four digits of a year, y two, m month, d day, b the
   name of a month, H M S, f a fraction, z a zone, else the character itself. Returns 0 for any other text. */
static int sm__time_parse(int64_t *micros, sm_text text, const SM_FLASH uint8_t *pattern, uint32_t length)
{
    uint32_t at = 0;
    int32_t year = 1970;
    int32_t month = 1;
    int32_t day = 1;
    int32_t second = 0;
    int32_t fraction = 0;
    int32_t era;
    int32_t of_era;
    int32_t of_year;
    for (uint32_t i = 0; i < length; i++) {
        int32_t number;
        switch (pattern[i]) {
        case 'Y':
            year = sm__digits(text, &at, 4, 4);
            break;
        case 'y':
            number = sm__digits(text, &at, 2, 2);
            if (number < 0) {
                return 0;
            }
            year = number >= 69 ? 1900 + number : 2000 + number;
            break;
        case 'm':
            month = sm__digits(text, &at, 1, 2);
            break;
        case 'd':
            day = sm__digits(text, &at, 1, 2);
            break;
        case 'b':
            month = sm__month_name(text, &at);
            break;
        case 'H':
            number = sm__digits(text, &at, 1, 2);
            if (number < 0 || number >= 24) {
                return 0;
            }
            second += number * 3600;
            break;
        case 'M':
        case 'S':
            number = sm__digits(text, &at, 1, 2);
            if (number < 0 || number >= 60) {
                return 0;
            }
            second += pattern[i] == 'M' ? number * 60 : number;
            break;
        case 'f':
            fraction = sm__fraction(text, &at);
            if (fraction < 0) {
                return 0;
            }
            break;
        case 'z':
            number = sm__zone(text, &at);
            if (number == INT32_MIN) {
                return 0;
            }
            second -= number * 60;
            break;
        default:
            if (at >= text.length || text.bytes[at] != pattern[i]) {
                return 0;
            }
            at++;
            break;
        }
    }
    if (at != text.length || year < 0 || month < 1 || month > 12 || day < 1 || day > sm__month_length(year, month)) {
        return 0;
    }
    /* The year starts in March, so that the leap day is the last; year 0 then may start in year -1. */
    year = month <= 2 ? year + 399 : year + 400;
    era = year / 400 - 1;
    of_era = year % 400;
    of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    day = era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
    *micros = (int64_t)day * 86400000000 + (int64_t)second * 1000000 + fraction;
    return 1;
}

/*: _time_write needs _time_part _months */
/* All patterns in the order of their tags, each with its end. */
static const SM_FLASH uint8_t sm__patterns[] =
    "Y-m-d|Y-m-d H:M|Y-m-d H:M:Sfz|Y-m-dTH:M|Y-m-dTH:M:Sfz|Y/m/d|Y/m/d H:M|Y/m/d H:M:Sfz|"
    "d.m.Y|d.m.Y H:M|d.m.Y H:M:Sf|d/m/Y|d/m/Y H:M|d/m/Y H:M:Sf|m/d/Y|m/d/Y H:M|m/d/Y H:M:Sf|"
    "d-m-Y|d-m-Y H:M|d-m-Y H:M:Sf|m-d-Y|d-b-Y|d-b-y|d b Y|d b Y H:M|d b Y H:M:Sf|b d, Y|b d Y|"
    "m/d/y|m/d/y H:M|d/m/y|Y-m|b-Y|H:M|H:M:Sf|";

/* Writes width decimal digits of a number; returns width. */
static uint32_t sm__decimal(uint8_t *out, int32_t number, uint32_t width)
{
    for (uint32_t i = width; i > 0; i--) {
        out[i - 1] = (uint8_t)(0x30 + number % 10);
        number /= 10;
    }
    return width;
}

/* Writes a point in time in the format of a tag, at most 32 bytes; returns how many. */
static uint32_t sm__time_write(uint8_t *out, int64_t micros, int format)
{
    uint32_t at = 0;
    uint32_t length = 0;
    for (; format > 0; format--) {
        while (sm__patterns[at] != '|') {
            at++;
        }
        at++;
    }
    for (; sm__patterns[at] != '|'; at++) {
        int32_t number;
        switch (sm__patterns[at]) {
        case 'Y':
            number = (int32_t)sm__time_part(micros, 1);
            number = number < 0 ? 0 : number > 9999 ? 9999 : number;
            length += sm__decimal(out + length, number, 4);
            break;
        case 'y':
            number = (int32_t)sm__time_part(micros, 1) % 100;
            length += sm__decimal(out + length, number < 0 ? number + 100 : number, 2);
            break;
        case 'm':
            length += sm__decimal(out + length, (int32_t)sm__time_part(micros, 2), 2);
            break;
        case 'd':
            length += sm__decimal(out + length, (int32_t)sm__time_part(micros, 3), 2);
            break;
        case 'H':
            length += sm__decimal(out + length, (int32_t)sm__time_part(micros, 6), 2);
            break;
        case 'M':
            length += sm__decimal(out + length, (int32_t)sm__time_part(micros, 7) % 60, 2);
            break;
        case 'S':
            length += sm__decimal(out + length, (int32_t)sm__time_part(micros, 8), 2);
            break;
        case 'f':
            number = (int32_t)(micros % 1000000);
            number = number < 0 ? number + 1000000 : number;
            if (number != 0) {
                out[length] = '.';
                length += 1 + sm__decimal(out + length + 1, number, 6);
            }
            break;
        case 'b':
            number = sm__month_starts[sm__time_part(micros, 2) - 1];
            for (int32_t i = 0; i < 3; i++) {
                out[length] = sm__months[number + i];
                length++;
            }
            break;
        case 'z':
            out[length] = 'Z';
            length++;
            break;
        default:
            out[length] = sm__patterns[at];
            length++;
            break;
        }
    }
    return length;
}
