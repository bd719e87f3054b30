"""Prediction files as public projects write them, with the columns that a reader of each file would take.

Each is modelled after a description in a survey of 101 files: a header, and values of the same kind. What is right was
decided from those descriptions, by what the names mean to a reader.
"""

from __future__ import annotations

from typing import Any

from tests.columns.cases import ROWS, Case, Values, decided, table


def cases() -> list[Case]:
    return [*_binary(), *_classes(), *_regression(), *_forecasts(), *_truth(), *_traps()]


def _binary() -> list[Case]:
    v = Values(1)
    y = v.labels()
    p, q = v.probability(y), v.probability(y)
    diagnosis = ["M" if each else "B" for each in y]
    words = ["malignant" if each else "benign" for each in y]
    yes = ["Yes" if each else "No" for each in y]
    bce, focal = "bce", "focal"
    return [
        Case(
            "label and probability beside it", bce, table({"label": y, "probability": p}), (("probability", "label"),)
        ),
        Case(
            "target, predicted label and probability",
            bce,
            table({"id": v.ids(), "y_true": y, "y_pred": decided(p), "y_prob": p}),
            (("y_prob", "y_true"),),
        ),
        Case(
            "churn with words",
            focal,
            table(
                {"CustomerID": v.ids(), "Actual": yes, "Predicted": decided(p, ("No", "Yes")), "Churn_Probability": p}
            ),
            (("Churn_Probability", "Actual"),),
            ("No", "Yes"),
        ),
        Case(
            "probability of the class in its name",
            bce,
            table({"Unnamed: 0": v.index(), "Actual_Label": words, "Probability_Malignant": p}),
            (("Probability_Malignant", "Actual_Label"),),
            ("benign", "malignant"),
        ),
        Case(
            "words known by the predicted label",
            bce,
            table({"": v.index(), "actual": diagnosis, "predicted": decided(p, ("B", "M")), "probability": p}),
            (("probability", "actual"),),
            ("B", "M"),
        ),
        Case(
            "creditcard",
            bce,
            table({"Time": v.ids(), "Amount": v.numbers(), "Class": y, "fraud_probability": p}),
            (("fraud_probability", "Class"),),
        ),
        Case(
            "two models of probabilities",
            bce,
            table({"y_test": y, "LR_Prob": p, "RF_Prob": q}),
            (("LR_Prob", "y_test"), ("RF_Prob", "y_test")),
        ),
        Case(
            "two models with their labels",
            "balanced-cross-entropy",
            table({"target": y, "lr_pred": decided(p), "lr_proba": p, "xgb_pred": decided(q), "xgb_proba": q}),
            (("lr_proba", "target"), ("xgb_proba", "target")),
        ),
        Case(
            "both classes",
            bce,
            table({"true_label": y, "prob_0": [round(1 - x, 4) for x in p], "prob_1": p}),
            (("prob_1", "true_label"),),
        ),
        Case(
            "out of fold",
            bce,
            table({"fold": v.among((0, 1, 2, 3, 4)), "row_id": v.ids(), "target": y, "oof_pred": p}),
            (("oof_pred", "target"),),
        ),
        Case(
            "called what it measures",
            bce,
            table({"DEP_DEL15": y, "Predicted_Probability": p}),
            (("Predicted_Probability", "DEP_DEL15"),),
        ),
        Case(
            "score of a detector",
            bce,
            table({"filename": v.files(), "label": y, "score": p}),
            (("score", "label"),),
        ),
        Case(
            "a boolean target",
            bce,
            table({"sample_id": v.ids(), "truth": [bool(x) for x in y], "p": p}),
            (("p", "truth"),),
        ),
        Case(
            "logits of one class",
            "bce:input=logits",
            table({"label": y, "logit": v.logits(1)[0]}),
            (("logit", "label"),),
        ),
        Case(
            "a fraction called prediction",
            bce,
            table({"id": v.ids(), "target": y, "prediction": p}),
            (("prediction", "target"),),
        ),
        Case(
            "pairs of several targets",
            bce,
            table({"toxic": y, "insult": v.labels(), "prob_toxic": p, "prob_insult": q}),
            (("prob_toxic", "toxic"), ("prob_insult", "insult")),
        ),
    ]


def _classes() -> list[Case]:
    v = Values(2)
    skin = ("Acne", "Eczema", "Basal Cell")
    heart = ("HCM", "DCM", "NOR")
    animals = ("cat", "dog", "owl")
    digits = tuple(range(10))
    s, h, a, d = v.among(skin), v.among(heart), v.among(animals), v.among(digits)
    ps, ph, pa = v.classes(s, skin), v.classes(h, heart), v.classes(a, animals)
    probs, logits = "ce:input=probs", "ce"
    return [
        Case(
            "probabilities by class name",
            probs,
            table(
                {
                    "filename": v.files(),
                    "true_label": s,
                    "predicted_label": v.wrong_now_and_then(s),
                    "confidence": v.confidence(),
                    "prob_Acne": ps[0],
                    "prob_Eczema": ps[1],
                    "prob_Basal_Cell": ps[2],
                }
            ),
            (("prob_*", "true_label"),),
            ("Acne", "Eczema", "Basal Cell"),
        ),
        Case(
            "other case",
            probs,
            table({"case_id": v.ids(), "label": h, "p_hcm": ph[0], "p_dcm": ph[1], "p_nor": ph[2]}),
            (("p_*", "label"),),
            ("HCM", "DCM", "NOR"),
        ),
        Case(
            "bare class names",
            probs,
            table({"image_path": v.files(), "true_class": a, "owl": pa[2], "cat": pa[0], "dog": pa[1]}),
            (("owl,cat,dog", "true_class"),),
            ("owl", "cat", "dog"),
        ),
        Case(
            "ten logits",
            logits,
            table({"id": v.ids(), "label": d, **{f"logit_{k}": x for k, x in enumerate(v.logits(10))}}),
            (("logit_*", "label"),),
        ),
        Case(
            "class codes as a header",
            probs,
            table(
                {"y_true": v.among((0, 1, 2)), **{str(k): x for k, x in enumerate(v.classes([0] * ROWS, (0, 1, 2)))}}
            ),
            (("0,1,2", "y_true"),),
        ),
        Case(
            "sums to .9",
            probs,
            table({"label": a, **{f"prob_{k}": x for k, x in zip(animals, v.classes(a, animals, 0.9))}}),
            (("prob_*", "label"),),
            animals,
        ),
        Case(
            "two models of classes",
            "categorical-focal:input=probs",
            table(
                {
                    "actual": a,
                    **{f"rf_prob_{k}": x for k, x in zip(animals, pa)},
                    **{f"lr_prob_{k}": x for k, x in zip(animals, v.classes(a, animals))},
                }
            ),
            (("rf_prob_*", "actual"), ("lr_prob_*", "actual")),
            animals,
        ),
        Case(
            "numbers of classes from one",
            probs,
            table(
                {
                    "actual": v.among((1, 2, 3)),
                    **{f"class_{k}_prob": x for k, x in zip((1, 2, 3), v.classes([1] * ROWS, (1, 2, 3)))},
                }
            ),
            (("class_*_prob", "actual"),),
            ("1", "2", "3"),
        ),
        Case(
            "arrays",
            logits,
            table({"logits": list(zip(*v.logits(4))), "labels": v.among((0, 1, 2, 3))}),
            (("logits", "labels"),),
        ),
    ]


def _regression() -> list[Case]:
    v = Values(3)
    y, w = v.numbers(), v.numbers(3000, 400)
    f, stars = v.near(y), v.among((1, 2, 3, 4, 5))
    huber, mae, mse = "huber", "mae", "mse"
    return [
        Case("actual and predicted", mae, table({"Actual": y, "Predicted": f}), (("Predicted", "Actual"),)),
        Case("y_true and y_pred", mse, table({"y_true": y, "y_pred": f}), (("y_pred", "y_true"),)),
        Case(
            "errors beside them",
            huber,
            table(
                {
                    "Unnamed: 0": v.index(),
                    "actual": y,
                    "prediction": f,
                    "error": v.numbers(0, 5),
                    "absolute_error": v.numbers(4, 1),
                    "ape": v.numbers(3, 1),
                }
            ),
            (("prediction", "actual"),),
        ),
        Case("its own name", mae, table({"Share": y, "Predicted Share": f}), (("Predicted Share", "Share"),)),
        Case(
            "rating",
            mae,
            table({"user_id": v.ids(), "item_id": v.ids(), "rating": stars, "prediction": v.near(stars, 1)}),
            (("prediction", "rating"),),
        ),
        Case(
            "several models side by side",
            mae,
            table({"target": y, "pred_rf": f, "pred_lr": v.near(y), "pred_xgb": v.near(y)}),
            (("pred_rf", "target"), ("pred_lr", "target"), ("pred_xgb", "target")),
        ),
        Case(
            "several targets",
            mse,
            table({"target_height": y, "target_weight": w, "pred_height": f, "pred_weight": v.near(w, 90)}),
            (("pred_height", "target_height"), ("pred_weight", "target_weight")),
        ),
        Case(
            "features carried along",
            mae,
            table({"age": v.numbers(40, 9), "bmi": v.numbers(25, 3), "y_test": y, "yhat": f}),
            (("yhat", "y_test"),),
        ),
        Case(
            "suffixes",
            mae,
            table({"region": v.among(("N", "S")), "price_true": y, "price_pred": f}),
            (("price_pred", "price_true"),),
        ),
        Case(
            "a bound on each side",
            mae,
            table({"ds": v.dates(), "y": y, "yhat": f, "yhat_lower": v.near(y), "yhat_upper": v.near(y)}),
            (("yhat", "y"),),
        ),
        Case(
            "the prices high and low",
            mae,
            table({"Date": v.dates(), "High": y, "Low": w, "Pred_High": f, "Pred_Low": v.near(w, 90)}),
            (("Pred_High", "High"), ("Pred_Low", "Low")),
        ),
        Case(
            "delivery times",
            mae,
            table({"order_id": v.ids(), "actual_time": y, "predicted_time": f}),
            (("predicted_time", "actual_time"),),
        ),
        Case(
            "the only other number",
            mse,
            table({"id": v.ids(), "quality": y, "prediction": f}),
            (("prediction", "quality"),),
        ),
        Case(
            "camel case and brackets",
            huber,
            table({"trueValue [kg]": y, "predictedValue [kg]": f}),
            (("predictedValue [kg]", "trueValue [kg]"),),
        ),
    ]


def _forecasts() -> list[Case]:
    v = Values(4)
    y = v.numbers()
    warm: list[Any] = [None] * 5
    return [
        Case(
            "called by the models",
            "mae",
            table({"date": v.dates(), "actual": y, "LSTM": v.near(y), "naive_24": v.near(y)}),
            (("LSTM", "actual"), ("naive_24", "actual")),
        ),
        Case(
            "model and word",
            "huber",
            table({"Datetime": v.dates(), "Actual": y, "LSTM Prediction": v.near(y), "GRU Prediction": v.near(y)}),
            (("LSTM Prediction", "Actual"), ("GRU Prediction", "Actual")),
        ),
        Case(
            "missing at the start",
            "mae",
            table({"timestamp": v.dates(), "observed": y, "forecast": warm + v.near(y)[5:]}),
            (("forecast", "observed"),),
        ),
        Case(
            "value and forecast",
            "mse",
            table({"ds": v.dates(), "value": y, "forecast": v.near(y)}),
            (("forecast", "value"),),
        ),
        Case(
            "unknown model beside known ones",
            "mae",
            table({"ds": v.dates(), "y": y, "ARIMA": v.near(y), "ours": v.near(y)}),
            None,
        ),
    ]


def _truth() -> list[Case]:
    v = Values(5)
    y, number, animals = v.labels(), v.numbers(), ("cat", "dog", "owl")
    p, a = v.probability(y), v.among(animals)
    return [
        Case(
            "submission of probabilities",
            "bce",
            table({"PassengerId": v.ids(), "Survived": p}, {"PassengerId": v.ids(), "Survived": y}),
            (("Survived", "Survived"),),
        ),
        Case(
            "submission with a word",
            "mae",
            table({"id": v.ids(), "prediction": v.near(number)}, {"id": v.ids(), "SalePrice": number}),
            (("prediction", "SalePrice"),),
        ),
        Case(
            "the truth with a usage column",
            "mae",
            table(
                {"Id": v.ids(), "SalePrice": v.near(number)},
                {"Id": v.ids(), "SalePrice": number, "Usage": v.among(("Public", "Private"))},
            ),
            (("SalePrice", "SalePrice"),),
        ),
        Case(
            "a submission called target",
            "bce",
            table({"id": v.ids(), "target": p}, {"id": v.ids(), "target": y}),
            (("target", "target"),),
        ),
        Case(
            "classes and a file of labels",
            "ce:input=probs",
            table({"id": v.ids(), **dict(zip(animals, v.classes(a, animals)))}, {"id": v.ids(), "breed": a}),
            (("cat,dog,owl", "breed"),),
            animals,
        ),
        Case(
            "labels in place of probabilities",
            "bce",
            table({"PassengerId": v.ids(), "Survived": decided(p)}, {"PassengerId": v.ids(), "Survived": y}),
            None,
        ),
    ]


def _traps() -> list[Case]:
    v = Values(6)
    y, number = v.labels(), v.numbers()
    p, words = v.probability(y), v.among(("joy", "anger", "fear"))
    label = decided(p)
    return [
        Case(
            "time of the prediction",
            "bce",
            table({"prediction_time_utc": v.dates(), "y": y, "prob": p}),
            (("prob", "y"),),
        ),
        Case(
            "probabilities of a logistic model",
            "bce",
            table({"actual": y, "logit_probabilities": p}),
            (("logit_probabilities", "actual"),),
        ),
        Case("the same as logits", "bce:input=logits", table({"actual": y, "logit_probabilities": p}), None),
        Case(
            "a feature called label",
            "bce",
            table({"emotion_label": words, "true_label": y, "pred_label": label, "prob": p}),
            (("prob", "true_label"),),
        ),
        Case(
            "a feature called label, no target",
            "mae",
            table({"emotion_label": v.among((0, 1, 2)), "rating": number, "predicted_rating": v.near(number)}),
            (("predicted_rating", "rating"),),
        ),
        Case(
            "score is the outcome",
            "mae",
            table({"essay_id": v.ids(), "score": number, "predicted_score": v.near(number)}),
            (("predicted_score", "score"),),
        ),
        Case(
            "distances to clusters",
            "mse",
            table({"dist_to_cluster0": v.numbers(1, 0.2), "y_true": number, "y_pred": v.near(number)}),
            (("y_pred", "y_true"),),
        ),
        Case(
            "confidence is no probability",
            "bce",
            table({"label": y, "predicted_label": label, "confidence": v.confidence()}),
            None,
        ),
        Case(
            "probability of the predicted class",
            "bce",
            table({"label": y, "prediction": label, "probability": [max(x, round(1 - x, 4)) for x in p]}),
            None,
        ),
        Case("score beside a label", "bce", table({"true": y, "pred": label, "score": v.confidence()}), None),
        Case("labels without probabilities", "bce", table({"y_true": y, "y_pred": label}), None),
        Case("a prediction alone", "bce", table({"id": v.ids(), "label": label, "probability": p}), None),
        Case(
            "prices without a target",
            "mae",
            table({"Close": number, "Pred_High": v.near(number), "Pred_Low": v.near(number)}),
            None,
        ),
        Case("labels or probabilities of numbers", "mse", table({"y_true": y, "y_pred": label, "prob": p}), None),
        Case("two targets", "mae", table({"actual": number, "target": v.numbers(), "pred": v.near(number)}), None),
        Case("features only", "mae", table({"age": v.numbers(), "target": number}), None),
        Case(
            "probabilities as logits",
            "ce",
            table({"label": v.among(("cat", "dog")), "prob_cat": p, "prob_dog": [round(1 - x, 6) for x in p]}),
            None,
        ),
        Case(
            "letters without a positive one",
            "bce",
            table({"diagnosis": ["M" if x else "B" for x in y], "probability": p}),
            None,
        ),
        Case("of the negative class", "bce", table({"target": y, "prob_0": [round(1 - x, 4) for x in p]}), None),
        Case("submission alone", "mae", table({"Id": v.ids(), "SalePrice": number}), None),
        Case(
            "two tasks",
            "bce",
            table({"label": y, "prob_spam": p, "prob_adult": v.probability([1 - x for x in y])}),
            None,
        ),
    ]
