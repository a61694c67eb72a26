//! The operators of ONNX-ML (`ai.onnx.ml`, versions 1 to 5): forests, linear models, support vectors, and what stands
//! around them.
//!
//! They become operators on tensors with the meaning that ONNX gives them, and where it gives none, with that of ONNX
//! Runtime. Forests and dictionaries have an operator each, all else is built of those that networks have.

mod columns;
mod flat_trees;
mod labels;
mod linear;
mod scores;
mod svm;
mod trees;

use super::Operator;

pub(super) const OPERATORS: &[Operator] = &[
    Operator::ml("ArrayFeatureExtractor", columns::array_feature_extractor),
    Operator::ml("Binarizer", columns::binarizer),
    Operator::ml("CategoryMapper", labels::category_mapper),
    Operator::ml("FeatureVectorizer", columns::feature_vectorizer),
    Operator::ml("Imputer", columns::imputer),
    Operator::ml("LabelEncoder", labels::label_encoder),
    Operator::ml("LinearClassifier", linear::classifier),
    Operator::ml("LinearRegressor", linear::regressor),
    Operator::ml("Normalizer", columns::normalizer),
    Operator::ml("OneHotEncoder", labels::one_hot_encoder),
    Operator::ml("SVMClassifier", svm::classifier),
    Operator::ml("SVMRegressor", svm::regressor),
    Operator::ml("Scaler", columns::scaler),
    Operator::ml("TreeEnsemble", flat_trees::ensemble),
    Operator::ml("TreeEnsembleClassifier", trees::classifier),
    Operator::ml("TreeEnsembleRegressor", trees::regressor),
    Operator::ml("ZipMap", labels::zip_map),
];
