"""The vocabulary of column names: what people call targets, predictions, probabilities, ids, dates and errors.

It comes from a survey of prediction files of public projects. A name alone never decides: ``evidence`` adds what the
first values say.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

Part = Literal["target", "pred", "free"]
Quantity = Literal["number", "label", "probability", "confidence", "logit", "score"]

TARGET = {
    *("actual", "actuals", "true", "truth", "target", "targets", "gt", "gold", "observed", "obs", "measured", "real"),
}
PREDICTION = {
    *("pred", "preds", "predict", "predicts", "predicted", "prediction", "predictions", "yhat", "hat", "ŷ", "oof"),
    *("forecast", "forecasts", "forecasted", "fcst", "estimate", "estimates", "estimated", "fitted", "guess"),
}
PROBABILITY = {"prob", "probs", "proba", "probas", "probability", "probabilities", "softmax", "sigmoid"}
CONFIDENCE = {"confidence", "conf", "confidences", "certainty"}
OF_THE_LARGEST = {"max", "top", "best", "highest", "winning"}
LOGIT = {"logit", "logits"}
SCORE = {"score", "scores", "decision", "margin"}
LABEL = {"label", "labels", "class", "classes", "category", "lbl", "cls"}
# These mean the truth only where a prediction stands beside them.
OUTCOME = {"outcome", "response", "answer", "expected"}
# Two columns that differ in one of these hold the same labels, once as words and once as codes.
FORM = {"name", "text", "str", "id", "idx", "index", "num", "code", "encoded", "enc", "int"}
# Words that tell neither which model nor which quantity.
FILLER = {"y", "of", "the", "value", "values", "final", "test", "val", "valid", "validation", "set", "column", "cv"}

ID_AT_THE_END = {"id", "ids", "uuid", "guid", "key", "filename", "filepath", "path", "url", "uri"}
ID_ALONE = {"index", "idx", "row", "rows", "sample", "file", "image", "img", "name", "title", "number", "no", "nr"}
TIME = {"date", "ds", "time", "timestamp", "datetime", "utc", "year", "month", "week", "weekday", "day", "hour"}
GROUP = {
    *("fold", "kfold", "split", "model", "batch", "region", "language", "lang", "dataset", "subset", "seed", "run"),
    *("epoch", "step", "group", "cluster", "horizon", "series"),
}
ERROR = {
    *("error", "errors", "err", "residual", "residuals", "resid", "ape", "mape", "smape", "mae", "mse", "rmse", "loss"),
    *("diff", "difference", "deviation", "bias"),
}
VERDICT = {"correct", "incorrect", "match", "mismatch", "wrong", "hit", "misclassified"}
BOUND = {
    *("low", "high", "lo", "hi", "lower", "upper", "lwr", "upr", "min", "max", "interval", "ci", "quantile"),
    *("std", "stdev", "sigma", "var", "variance", "uncertainty", "stderr"),
}
FEATURE = {"lag", "prev", "previous", "rolling", "feature", "features", "feat", "pixel", "lat", "lon", "dist", "weight"}
P_VALUES = {("value",), ("val",), ("values",)}
CONFUSION = {("true", "positive"), ("true", "negative"), ("true", "positives"), ("true", "negatives")}

MODELS = {
    *("lstm", "gru", "rnn", "cnn", "mlp", "nn", "ann", "dnn", "tcn", "bilstm", "transformer", "informer", "autoformer"),
    *("arima", "sarima", "sarimax", "arimax", "autoarima", "ets", "theta", "tbats", "prophet", "neuralprophet", "holt"),
    *("holtwinters", "naive", "snaive", "seasonalnaive", "drift", "croston", "var", "garch", "nbeats", "nhits", "tft"),
    *("deepar", "patchtst", "chronos", "timesfm", "moirai", "dlinear", "nlinear", "xgb", "xgboost", "lgb", "lgbm"),
    *("lightgbm", "catboost", "cb", "gbm", "gbdt", "gb", "gbr", "hgb", "histgb", "gradientboosting", "adaboost", "rf"),
    *("randomforest", "et", "extratrees", "dt", "decisiontree", "tree", "lr", "logreg", "logistic", "logit", "linreg"),
    *("linear", "ols", "glm", "gam", "ridge", "lasso", "elasticnet", "svm", "svc", "svr", "knn", "nb", "bayes", "gp"),
    *("gpr", "gnb", "naivebayes", "mars", "pls", "baseline", "ensemble", "ens", "stack", "stacked", "stacking"),
    *(
        "blend",
        "blended",
        "voting",
        "model",
        "bert",
        "roberta",
        "gpt",
        "llama",
        "resnet",
        "vgg",
        "efficientnet",
        "vit",
        "unet",
    ),
}
PREFERRED_POSITIVE = {"true", "yes", "y", "positive", "pos", "t", "present", "spam", "abnormal", "anomaly", "1"}
NEGATIVE = {"false", "no", "n", "negative", "neg", "f", "absent", "ham", "normal", "0"}
OBVIOUS_PAIRS = {
    *(("false", "true"), ("no", "yes"), ("n", "y"), ("negative", "positive"), ("neg", "pos"), ("f", "t"), ("0", "1")),
    *(("absent", "present"), ("ham", "spam"), ("normal", "abnormal"), ("normal", "anomaly")),
}

# Names of the roles that are not prediction and target, the role's own name first.
ROLE_NAMES = {
    "first": ("first", "a", "x1", "left", "emb1", "embedding1", "embeddinga", "vector1", "z1"),
    "second": ("second", "b", "x2", "right", "emb2", "embedding2", "embeddingb", "vector2", "z2"),
    "similar": (
        *("similar", "same", "issimilar", "issame", "samepair", "similarity", "duplicate", "isduplicate", "match"),
        *("ismatch", "label", "labels", "target", "ytrue", "y"),
    ),
    "distance": ("distance", "dist", "distances", "d", "euclideandistance", "l2distance", "pairdistance"),
    "order": ("order", "target", "label", "y", "preference", "sign"),
    "anchor": ("anchor", "anchors", "a", "anc", "query"),
    "positive": ("positive", "positives", "pos", "p"),
    "negative": ("negative", "negatives", "neg", "n"),
    "var": ("var", "variance", "sigma2"),
    "scale": ("scale", "sigma", "std"),
    "embedding": ("embedding", "embeddings", "emb", "vector", "vectors", "feature", "features", "x", "z"),
    "label": ("label", "labels", "identity", "class", "person", "speaker", "target", "targets", "ytrue", "y"),
    # Of losses without a target; beside a target, predictions are found by what they hold too.
    "pred": (
        *("pred", "preds", "prediction", "predicted", "logrisk", "risk", "riskscore", "loghazard", "logpartialhazard"),
        *("linearpredictor", "score"),
    ),
    "time": ("time", "times", "duration", "durations", "survivaltime", "timetoevent", "tte", "followup", "t"),
    "event": ("event", "events", "eventobserved", "observed", "status", "died", "death", "dead", "failure", "failed"),
    "query": ("query", "queryid", "queries", "qid", "group", "groupid", "list", "listid", "session", "sessionid"),
    "pred_length": ("predlength", "predlengths", "inputlength", "inputlengths", "logitlength", "logitlengths"),
    "target_length": ("targetlength", "targetlengths", "labellength", "labellengths"),
}

_SPELT_TOGETHER = {
    "ytrue": ("y", "true"),
    "ypred": ("y", "pred"),
    "ytest": ("y", "test"),
    "yprob": ("y", "prob"),
    "yscore": ("y", "score"),
    "yactual": ("y", "actual"),
    "groundtruth": ("ground", "truth"),
}


def words(name: str) -> tuple[str, ...]:
    """A name's words in lower case: blanks, dots, brackets, camel case and digits part them.

    Example:
        >>> words("PassengerId"), words("LSTM Prediction"), words("p[0]")
        (('passenger', 'id'), ('lstm', 'prediction'), ('p', '0'))
    """
    text = unicodedata.normalize("NFC", name)
    text = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", text)
    text = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", text)
    found = re.findall(r"[^\W\d_]+|\d+", text.lower())
    return tuple(word for each in found for word in _SPELT_TOGETHER.get(each, (each,)))


def joined(name: str) -> str:
    """A name for comparison: its words without anything between them.

    Example:
        >>> joined("Basal Cell"), joined("basal_cell")
        ('basalcell', 'basalcell')
    """
    return "".join(words(name))


@dataclass(frozen=True)
class Name:
    """What a column's name says.

    Attributes:
        words: its words in lower case.
        part: ``target`` and ``pred`` where a word says so, else ``free``.
        quantity: what kind of value its words promise.
        subject: the words left over: a model, a class, what was measured.
        aside: what the column is where it is neither target nor prediction, such as "an id"; else empty.
        rescued_by_a_pair: it may serve after all where X and pred_X stand side by side.
    """

    words: tuple[str, ...]
    part: Part
    quantity: Quantity
    subject: tuple[str, ...]
    aside: str = ""
    rescued_by_a_pair: bool = False

    @property
    def whole(self) -> bool:
        """Whether nothing is left over, as in ``y_true`` and ``predicted_label``."""
        return not self.subject

    @property
    def outcome(self) -> bool:
        """Whether it can mean the truth, but only beside a prediction."""
        return self.part == "free" and self.whole and (self.quantity == "label" or bool(OUTCOME & set(self.words)))


def read_name(name: str) -> Name:
    """What a name says, by its words alone.

    Example:
        >>> read_name("True Label").part, read_name("LR_Prob").subject, read_name("abs_error").aside
        ('target', ('lr',), 'an error')
    """
    found = words(name)
    aside, rescuable = _aside(found)
    part, quantity = _meaning(found)
    spent = _vocabulary(part, quantity)
    subject = tuple(word for word in found if word not in spent and word not in FILLER)
    if subject == ("model",) or (subject == ("ground",) and "truth" in found):
        subject = ()
    if quantity == "label" and part != "free":
        subject = tuple(word for word in subject if word not in FORM)
    return Name(found, part, quantity, subject, aside, rescuable)


def is_model(subject: tuple[str, ...], *, alone: bool = False) -> bool:
    """Whether the words left over in a name are a model's name, a number or a single letter.

    Args:
        subject: the words.
        alone: the column is called by them only; then a number or a letter says nothing.

    Example:
        >>> is_model(("naive", "24")), is_model(("price",)), is_model(("a",)), is_model(("a",), alone=True)
        (True, False, True, False)
    """
    letters = [word for word in subject if not word.isdigit()]
    if "".join(letters) in MODELS or any(word in MODELS for word in letters):
        return True
    return bool(subject) and not alone and all(len(word) == 1 for word in letters)


def _meaning(found: tuple[str, ...]) -> tuple[Part, Quantity]:
    has = set(found)
    predicted = bool(has & PREDICTION) and found != ("hat",)
    probable = bool(has & PROBABILITY) or (found[:1] == ("p",) and len(found) <= 3 and found[-1:] not in P_VALUES)
    labelled = bool(has & LABEL)
    target = bool(has & TARGET) or found in (("y",), ("y", "test"), ("y", "val")) or (has >= {"correct"} and labelled)
    if has & CONFIDENCE or (probable and (has & OF_THE_LARGEST or (predicted and labelled and not _endings(found)))):
        return "pred", "confidence"
    if probable:
        return "pred", "probability"
    if predicted:
        return "pred", "label" if labelled else "score" if has & SCORE else "logit" if has & LOGIT else "number"
    if has & LOGIT:
        return "pred", "logit"
    if has & SCORE:
        return "target" if target else "pred" if "y" in has or "decision" in has else "free", "score"
    return "target" if target else "free", "label" if labelled else "number"


def _endings(found: tuple[str, ...]) -> list[str]:
    known = PREDICTION | PROBABILITY | LABEL | FILLER
    return [word for word in found if word not in known]


def _vocabulary(part: Part, quantity: Quantity) -> set[str]:
    spent = PREDICTION | CONFIDENCE | LABEL | OUTCOME
    if part == "target":
        return spent | TARGET
    spent = spent | {"target"}
    if quantity in ("probability", "confidence"):
        # A logistic model's probabilities are not logits, and "true" may be a class.
        return spent | PROBABILITY | {"p"} | (OF_THE_LARGEST if quantity == "confidence" else set())
    return spent | (LOGIT if quantity == "logit" else set()) | (SCORE if quantity == "score" else set())


def _aside(found: tuple[str, ...]) -> tuple[str, bool]:
    has = set(found)
    predicted, target = bool(has & PREDICTION), bool(has & (TARGET - {"target"}))
    labelled = bool(has & LABEL)
    probable = bool(has & (PROBABILITY | CONFIDENCE))
    if not found or found[0] == "unnamed":
        return "an index", False
    if has & ERROR:
        return "an error", False
    if has & VERDICT and not labelled:
        return "whether the prediction is right", False
    if found[:2] in CONFUSION or (predicted and target and not probable):
        return "neither prediction nor target by its name", False
    coded = labelled or set(found[-2:-1]) & {"pred", "predicted", "true", "actual", "gt"}
    if (found[-1] in ID_AT_THE_END and not coded) or has & {"filename", "filepath", "path", "url", "uuid", "guid"}:
        return "an id", False
    if found[0] == "id" or (len(found) == 1 and found[0] in ID_ALONE) or found in (("file", "name"), ("image", "name")):
        return "an id", False
    if has & TIME:
        return "a date or time", True
    if found[0] in GROUP and (len(found) == 1 or found[1:] in (("id",), ("name",), ("no",), ("type",), ("version",))):
        return "a group", False
    if has & BOUND and not probable:
        return "a bound or a spread", True
    if has & FEATURE or (has & {"encoded", "enc"} and not labelled):
        return "a feature", True
    return "", False
