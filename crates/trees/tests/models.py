"""Trains small forests with LightGBM and XGBoost and records what they make of rows, for `import.rs`.

    pip install lightgbm==4.7.0 xgboost-cpu==3.2.0 numpy
    python crates/trees/tests/models.py

For each model `testdata/forests` gets the file that the library saves (`NAME.txt` or `NAME.json`; of LightGBM's
text only what stands before importances and parameters) and `NAME.rows`: one row a line, with its cells, the leaf that
it reaches in each tree, its raw scores and its predictions. A part of the cells are thresholds of the model and their
neighbours, zeros of both signs, numbers near zero, odd categories and missing cells.
"""

import json
import pathlib

import lightgbm
import numpy
import xgboost

OUT = pathlib.Path(__file__).parents[3] / "testdata" / "forests"
N_TRAIN, N_ROWS, N_FEATURES = 400, 200, 5
CATEGORY = 4
ODD = [0.0, -0.0, 1e-36, -1e-36, 1e-35, 1.1e-35, -2e-35, 1e300, -1e300, numpy.nan]
ODD_CATEGORIES = [-1.0, -0.5, 0.5, 3.7, 40.0, 1e9, numpy.nan]


def table(random, n):
    """Cells of one digit behind the point, a tenth of them missing and a tenth zero; the last column is a category."""
    x = numpy.round(random.normal(size=(n, N_FEATURES)) * 3, 1)
    x[:, CATEGORY] = random.integers(0, 20, n)
    x[random.random(x.shape) < 0.1] = 0.0
    x[random.random(x.shape) < 0.1] = numpy.nan
    return x


def targets(random, x):
    clean = numpy.nan_to_num(x, nan=1.5)
    wave = clean[:, 0] - 0.5 * clean[:, 1] * (clean[:, 2] > 0) + 2.0 * (clean[:, CATEGORY] % 3 == 1)
    return wave + random.normal(size=len(x)) * 0.5


def rows(random, thresholds, single, odd_categories):
    """Rows of which a third of the cells are where a model can go wrong."""
    x = table(random, N_ROWS)
    for row, column in numpy.ndindex(x.shape):
        if random.random() > 0.35:
            continue
        own = thresholds[column]
        if column == CATEGORY and odd_categories:
            x[row, column] = random.choice(ODD_CATEGORIES)
        elif own and random.random() < 0.8:
            t = own[random.integers(len(own))]
            to = [-numpy.inf, t, t, numpy.inf][random.integers(4)]
            if single and random.random() < 0.5:
                x[row, column] = numpy.nextafter(numpy.float32(t), numpy.float32(to))
            elif single:
                # Halfway between neighbours in single precision, where rounding decides.
                near = numpy.nextafter(numpy.float32(t), numpy.float32(-numpy.inf))
                x[row, column] = numpy.nextafter((float(near) + float(t)) / 2, to)
            else:
                x[row, column] = numpy.nextafter(t, to)
        else:
            x[row, column] = random.choice(ODD)
    if single:
        # What single precision cannot hold is refused by the library.
        x[numpy.abs(x) > 1e30] = 7.5
    return x


def text(value):
    return "nan" if numpy.isnan(value) else repr(float(value))


def record(name, x, leaves, raw, predicted, factor=1.0):
    raw = numpy.asarray(raw, dtype=float).reshape(len(x), -1) * factor
    predicted = numpy.asarray(predicted, dtype=float).reshape(len(x), -1)
    leaves = numpy.asarray(leaves).reshape(len(x), -1).astype(int)
    with open(OUT / f"{name}.rows", "w", newline="\n") as out:
        out.write("# cells | leaves | raw scores | predictions; written by crates/trees/tests/models.py\n")
        for cells, leaf, score, value in zip(x, leaves, raw, predicted):
            groups = [map(text, cells), map(str, leaf), map(text, score), map(text, value)]
            out.write(" | ".join(" ".join(group) for group in groups) + "\n")


def of_lightgbm(name, params, target, categorical=False, rounds=6, factor=1.0):
    random = numpy.random.default_rng(len(name))
    x = table(random, N_TRAIN)
    y = target(random, x)
    columns = [f"x{at}" for at in range(N_FEATURES)]
    data = lightgbm.Dataset(x, y, feature_name=columns, categorical_feature=[CATEGORY] if categorical else [])
    base = dict(num_leaves=8, min_data_in_leaf=5, verbose=-1, num_threads=1, learning_rate=0.3, seed=1,
                deterministic=True, min_data_per_group=5, cat_smooth=1.0, cat_l2=1.0, max_cat_to_onehot=2)
    model = lightgbm.train(base | params, data, rounds)
    saved = model.model_to_string()
    saved = saved[: saved.index("end of trees")] + "end of trees\n"
    (OUT / f"{name}.txt").write_text(saved, newline="\n")
    thresholds = {column: [] for column in range(N_FEATURES)}
    pending = [tree["tree_structure"] for tree in model.dump_model()["tree_info"]]
    while pending:
        node = pending.pop()
        if "split_feature" in node:
            pending += [node["left_child"], node["right_child"]]
            if node["decision_type"] == "<=":
                thresholds[node["split_feature"]].append(float(node["threshold"]))
    x = rows(random, thresholds, False, categorical)
    record(name, x, model.predict(x, pred_leaf=True), model.predict(x, raw_score=True), model.predict(x), factor)


def of_xgboost(name, params, target, categorical=False, rounds=6):
    random = numpy.random.default_rng(len(name))
    x = table(random, N_TRAIN)
    y = target(random, x)
    kinds = ["q"] * (N_FEATURES - 1) + ["c" if categorical else "q"]
    columns = [f"x{at}" for at in range(N_FEATURES)]

    def matrix(x, y=None):
        return xgboost.DMatrix(x, y, feature_names=columns, feature_types=kinds, enable_categorical=True)

    base = dict(max_depth=3, eta=0.3, nthread=1, seed=1, max_cat_to_onehot=2)
    model = xgboost.train(base | params, matrix(x, y), rounds)
    model.save_model(OUT / f"{name}.json")
    saved = json.loads((OUT / f"{name}.json").read_text())
    learner = saved["learner"]["gradient_booster"]
    trees = learner.get("gbtree", learner)["model"]["trees"]
    thresholds = {column: [] for column in range(N_FEATURES)}
    for tree in trees:
        for at, left in enumerate(tree["left_children"]):
            if left != -1 and tree["split_type"][at] == 0:
                thresholds[tree["split_indices"][at]].append(tree["split_conditions"][at])
        # Statistics of training, which no prediction needs.
        for key in ["base_weights", "loss_changes", "sum_hessian", "parents"]:
            del tree[key]
    (OUT / f"{name}.json").write_text(json.dumps(saved, separators=(",", ":")) + "\n", newline="\n")
    x = rows(random, thresholds, True, categorical)
    given = matrix(x)
    raw = model.predict(given, output_margin=True)
    record(name, x, model.predict(given, pred_leaf=True), raw, model.predict(given))


def number(random, x):
    return targets(random, x) * 100.0 + 1000.0


def binary(random, x):
    return (targets(random, x) > 0.5).astype(float)


def classes(random, x):
    return numpy.digitize(targets(random, x), [-1.0, 1.5]).astype(float)


def count(random, x):
    return random.poisson(numpy.exp(numpy.clip(targets(random, x) * 0.3, -2, 2))).astype(float)


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    of_lightgbm("lightgbm_binary", dict(objective="binary"), binary)
    of_lightgbm("lightgbm_sigmoid", dict(objective="binary", sigmoid=1.7), binary, rounds=4, factor=1.7)
    of_lightgbm("lightgbm_multiclass", dict(objective="multiclass", num_class=3), classes, rounds=3)
    of_lightgbm("lightgbm_regression", dict(objective="regression"), number)
    of_lightgbm("lightgbm_categories", dict(objective="regression"), number, categorical=True)
    of_lightgbm("lightgbm_zero_missing", dict(objective="binary", zero_as_missing=True), binary)
    of_lightgbm("lightgbm_never_missing", dict(objective="binary", use_missing=False), binary, rounds=4)
    bags = dict(boosting="rf", bagging_freq=1, bagging_fraction=0.6, feature_fraction=0.7)
    # Raw scores of a random forest are sums, its predictions are made of means.
    of_lightgbm("lightgbm_rf", dict(objective="binary") | bags, binary, factor=1 / 6)
    of_lightgbm("lightgbm_rf_regression", dict(objective="regression") | bags, number, rounds=5, factor=1 / 5)
    of_lightgbm("lightgbm_poisson", dict(objective="poisson"), count, rounds=4)
    of_xgboost("xgboost_binary", dict(objective="binary:logistic"), binary)
    of_xgboost("xgboost_multiclass", dict(objective="multi:softprob", num_class=3), classes, rounds=3)
    of_xgboost("xgboost_regression", dict(objective="reg:squarederror"), number)
    of_xgboost("xgboost_categories", dict(objective="binary:logistic"), binary, categorical=True)
    of_xgboost("xgboost_dart", dict(booster="dart", rate_drop=0.5, objective="reg:squarederror"), number)
    of_xgboost("xgboost_poisson", dict(objective="count:poisson"), count, rounds=4)
    vectors = dict(multi_strategy="multi_output_tree", tree_method="hist", objective="multi:softprob", num_class=3)
    of_xgboost("xgboost_vectors", vectors, classes, rounds=3)


if __name__ == "__main__":
    main()
