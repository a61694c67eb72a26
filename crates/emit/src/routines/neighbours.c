/* Missing numbers of a row from its neighbours in a table. */

/*: _squared_distance needs _cell _is_finite */
/* The squared distance of x and a row of a table over the columns that are finite in both; -1 if there is none. */
static double sm__squared_distance(const double *x, const SM_FLASH uint8_t *cells, uint32_t n_bytes, uint32_t first,
    const SM_FLASH double *scale, uint32_t width)
{
    double sum = 0.0;
    uint32_t i, shared = 0;
    for (i = 0; i < width; i++) {
        double other = sm__cell(cells, first + i, n_bytes);
        if (sm__is_finite(x[i]) && sm__is_finite(other)) {
            double step = (x[i] - other) / scale[i];
            sum += step * step;
            shared += 1;
        }
    }
    return shared > 0 ? sum * (double)width / (double)shared : -1.0;
}

/*: _average_of_near needs _infinity _is_finite _sqrt */
/* How much a neighbour counts; `nearest` is the least squared distance. */
static double sm__weight_of_near(double nearest, double distance, int by_distance)
{
    if (!by_distance || nearest == sm__infinity() || distance == nearest) {
        return 1.0;
    }
    return nearest == 0.0 ? 0.0 : sm__sqrt(nearest / distance);
}

/* The average of n values at squared distances, the nearest first. */
static double sm__average_of_near(const double *near, const double *values, uint32_t n, int by_distance)
{
    double total = -0.0, sum = -0.0, average = -0.0;
    uint32_t i;
    for (i = 0; i < n; i++) {
        double weight = sm__weight_of_near(near[0], near[i], by_distance);
        total += weight;
        sum += weight * values[i];
    }
    if (sm__is_finite(sum)) {
        return sum / total;
    }
    for (i = 0; i < n; i++) {
        average += sm__weight_of_near(near[0], near[i], by_distance) / total * values[i];
    }
    return average;
}

/*: impute_neighbours needs _average_of_near _cell _is_finite _squared_distance */
/* out: x, where it is NaN the average of that column over the k nearest of n rows that have it, else its fill.
   near, values: room for k numbers each. */
static void sm_impute_neighbours(double *out, double *near, double *values, const double *x,
    const SM_FLASH uint8_t *reference, uint32_t n_bytes, const SM_FLASH double *scale, const SM_FLASH double *fill,
    uint32_t n, uint32_t width, uint32_t k, int by_distance)
{
    uint32_t column, row;
    for (column = 0; column < width; column++) {
        uint32_t found = 0;
        out[column] = x[column];
        if (x[column] == x[column]) {
            continue;
        }
        for (row = 0; row < n; row++) {
            double value = sm__cell(reference, row * width + column, n_bytes), distance;
            uint32_t at;
            if (!sm__is_finite(value)) {
                continue;
            }
            distance = sm__squared_distance(x, reference, n_bytes, row * width, scale, width);
            if (distance < 0.0 || (found == k && !(distance < near[k - 1]))) {
                continue;
            }
            /* Behind those that are as near, which come first. */
            if (found < k) {
                found += 1;
            }
            for (at = found - 1; at > 0 && distance < near[at - 1]; at--) {
                near[at] = near[at - 1];
                values[at] = values[at - 1];
            }
            near[at] = distance;
            values[at] = value;
        }
        out[column] = found > 0 ? sm__average_of_near(near, values, found, by_distance) : fill[column];
    }
}
