"""Finds the predictions for a target: of the kind that the loss takes, one or several models, columns or classes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from losscli.columns.choices import Choice, Pool, numbers_of, option, own_predictions, single
from losscli.columns.classes import Family, families, positive_column
from losscli.columns.evidence import Evidence, correlation, on_one_scale, positive_label, same_values, sums_to_one
from losscli.errors import UsageError
from losscli.names import LABEL, LOGIT, NEGATIVE, PREDICTION, PROBABILITY, TARGET, is_model

# What ``positive_label`` finds where a column is not the probability of the positive class.
OF_ANOTHER_CLASS = ("", "0", "False")
# How an array of several classes is called, beside the words for predictions.
OUTPUTS = {"output", "outputs", "z", "posterior", "posteriors"}


class PredictionSearch:
    """Finds the predictions of one loss.

    Args:
        pool: the columns.
        targets: what was found or named as targets.
    """

    def __init__(self, pool: Pool, targets: Sequence[Choice]) -> None:
        self._pool = pool
        taken = {each.key for target in targets for each in target.columns}
        self._data = [each for each in pool.data if each.key not in taken]

    def of_one_of_several(self, target: Choice) -> Choice:
        """The prediction of one of several targets: of the same ending, or of its name in the truth's file.

        Raises:
            UsageError: there is none, or there are several.
        """
        truth = target.columns[0]
        if truth.column.side == "truth":
            found = [each for each in self._data if each.name.words == truth.name.words]
        else:
            named = [each for each in numbers_of(self._data) if each.name.part == "pred"]
            found = own_predictions(truth, [each for each in named if self._serves(each)])
        return single(self._pool.only(found, "pred", f" of {truth.quoted}"), "each is paired with a target by its name")

    def _serves(self, each: Evidence) -> bool:
        return each.name.quantity != "confidence" and (self._pool.need != "probability" or each.in_unit)

    def of(self, target: Choice) -> list[Choice]:
        """The predictions for the only target: one, or several models'.

        Raises:
            UsageError: nothing fits, or rivals do.
        """
        if self._pool.need in ("classes", "vector"):
            return self._matrices(target)
        truth = target.columns[0]
        for level in self._levels(truth):
            found = level()
            if found:
                return self._models(found, truth)
        if self._pool.with_truth:
            found = [each for each in self._data if each.name.words == truth.name.words and each.numeric]
            found = found or [each for each in self._data if each.numeric and not each.name.outcome]
            if len(found) == 1:
                self._refuse_labels(found, truth)
                return [single(found[0], "it has the target's name, or none beside it fits")]
        raise self._pool.nothing("pred", "name it with --pred.")

    def without_target(self) -> Choice | None:
        """The only prediction by its name, in a file whose target is another file's; None where none is clear."""
        named = [each for each in numbers_of(self._data) if each.name.part == "pred"]
        if self._pool.need in ("classes", "vector"):
            arrays = [each for each in self._data if each.vector and each.name.part == "pred"]
            if len(arrays) == 1:
                return self._array(arrays[0])
            fitting = [family for family in families(named, ()) if self._suits(family)]
            return self._classes(fitting[0]) if len(fitting) == 1 else None
        kinds = {"probability": ("probability",), "logit": ("logit",), "label": ("label",)}.get(
            self._pool.need, ("number",)
        )
        fit = [each for each in named if each.name.quantity in kinds]
        return single(fit[0], "its name says so") if len(fit) == 1 else None

    def _levels(self, truth: Evidence) -> list[Callable[[], list[Evidence]]]:
        """Ways to find predictions, the surest first. Each gives columns, none, or raises where rivals fit."""
        numbers = numbers_of(self._data)
        pred = [each for each in numbers if each.name.part == "pred"]
        vectors = [each for each in self._data if each.vector and each.name.part == "pred"]

        def of(*kinds: str) -> list[Evidence]:
            return [each for each in pred if each.name.quantity in kinds]

        plain = of("number", "label", "score")
        scores = [each for each in numbers if each.name.quantity == "score"]
        models = [each for each in numbers if is_model(each.name.subject, alone=True) and each.name.part == "free"]
        scaled = [each for each in models if on_one_scale(each, truth)]
        if self._pool.need == "probability":
            soft = [each for each in plain if each.in_unit and each.fractional]
            outside = [each for each in (*of("logit", "probability"), *plain) if not each.in_unit]
            return [
                lambda: self._probabilities([e for e in of("probability") if e.in_unit], truth),
                lambda: soft,
                lambda: self._scores([e for e in scores if e.in_unit and e.fractional], truth),
                lambda: [e for e in scaled if e.in_unit and e.fractional],
                lambda: vectors,
                # The check of the domain says what is wrong with these, with the row and the remedy.
                lambda: outside,
                lambda: self._refuse_labels(plain, truth),
            ]
        if self._pool.need == "logit":
            return [
                lambda: of("logit"),
                lambda: [e for e in plain if not e.in_unit and e.fractional],
                lambda: [e for e in scores if not e.in_unit],
                lambda: [e for e in models if not e.in_unit],
                lambda: vectors,
                lambda: self._refuse_probabilities([e for e in (*pred, *scores) if e.in_unit]),
            ]
        if self._pool.need == "label":
            words = [each for each in self._data if each.column.kind == "text" and each.name.part == "pred"]
            whole = [each for each in of("label", "number") if not each.fractional]
            named = [each for each in self._data if each in words or each in whole]
            return [lambda: [e for e in named if e.name.quantity == "label"], lambda: named, lambda: vectors]
        return [
            lambda: self._numbers_or_labels(of("number", "score"), of("label"), of("probability"), truth),
            lambda: self._forecasts(scaled, numbers, truth),
            lambda: of("probability") if truth.in_unit else [],
            lambda: vectors,
            lambda: [e for e in scores if on_one_scale(e, truth)],
            lambda: self._lone_number(numbers, truth),
        ]

    def _numbers_or_labels(
        self, numbers: list[Evidence], labels: list[Evidence], probabilities: list[Evidence], truth: Evidence
    ) -> list[Evidence]:
        """What a loss of numbers takes: no probability where there is a number; a question where both may be meant."""
        if truth.hard:
            soft = [each for each in (*numbers, *probabilities) if not each.hard]
            hard = [each for each in (*numbers, *labels) if each.hard]
            if soft and hard:
                raise self._pool.rivals("pred", [*soft, *hard])
            if numbers and not all(any(same_values(label, each) for each in numbers) for label in labels):
                raise self._pool.rivals("pred", [*numbers, *labels])
        return numbers or labels

    def _forecasts(self, models: list[Evidence], numbers: list[Evidence], truth: Evidence) -> list[Evidence]:
        """Columns called by their models, unless an unknown one may be a model too."""
        if not models:
            return []
        unknown = [
            each
            for each in numbers
            if each not in models
            and each.name.part == "free"
            and on_one_scale(each, truth)
            and (correlation(each, truth) or 0) > 0.5
        ]
        if unknown:
            raise self._pool.rivals("pred", [*models, *unknown])
        return models

    def _lone_number(self, numbers: list[Evidence], truth: Evidence) -> list[Evidence]:
        free = [each for each in numbers if each.name.part == "free" and not each.name.outcome]
        if len(free) != 1 or len(numbers) != 1 or not on_one_scale(free[0], truth):
            return []
        related = correlation(free[0], truth)
        return free if related is not None and related > 0.5 else []

    def _probabilities(self, found: list[Evidence], truth: Evidence) -> list[Evidence]:
        if not found:
            return []
        own = self._of_subject(found, truth)
        if own:
            found = own
        if len(found) > 1:
            classes = [each for each in families(numbers_of(found), truth.labels) if each.probabilities]
            # Two models may have any names; two classes end in the labels or sum to 1.
            classes = [each for each in classes if each.matched or sums_to_one(each.columns)]
            if len(classes) == 1 and (len(classes[0].columns) == len(found) or classes[0].matched):
                return [self._of_the_positive(classes[0], truth)]
            if classes:
                raise self._pool.rivals("pred", found)
            return found
        self._refuse_the_wrong_class(found[0], truth)
        return found

    def _of_the_positive(self, family: Family, truth: Evidence) -> Evidence:
        if len(family.columns) > 2:
            raise self._pool.problem(
                f'"{family.pattern}" has {len(family.columns)} classes, but {self._pool.loss.name} is a loss of two',
                hint="cross-entropy --input probs takes all of them; --pred names one.",
            )
        chosen = positive_column(family, self._pool.positive)
        if chosen is None:
            raise self._pool.rivals("pred", family.columns)
        return chosen

    def _refuse_the_wrong_class(self, each: Evidence, truth: Evidence) -> None:
        """A probability of the negative class, or of the predicted one, is not the probability of a positive."""
        ending = each.name.subject[-1:]
        if truth.hard and ending and ending[0] in NEGATIVE:
            raise self._pool.problem(
                f"{each.quoted} seems to be the probability of the negative class",
                hint=f"if it is that of the positive one, add --pred {option(each)}.",
            )
        predicted = self._pool.predicted_label()
        if predicted is None:
            return
        decided = positive_label(each, predicted)
        if decided in OF_ANOTHER_CLASS:
            what = "the predicted class, whichever it is" if decided == "" else "the class 0"
            raise self._pool.problem(
                f"{each.quoted} seems to be the probability of {what}, by {predicted.quoted}",
                hint=f"if it is that of the positive class, add --pred {option(each)}.",
            )

    def _scores(self, found: list[Evidence], truth: Evidence) -> list[Evidence]:
        """A score beside a predicted label may be a confidence, unless the label shows that it is not."""
        predicted = self._pool.predicted_label()
        if not found or predicted is None:
            return found
        return [each for each in found if positive_label(each, predicted) not in (None, *OF_ANOTHER_CLASS)]

    def _refuse_labels(self, found: Sequence[Evidence], truth: Evidence) -> list[Evidence]:
        hard = [each for each in found if each.hard and each.column.kind in ("number", "boolean")]
        if hard and self._pool.need == "probability":
            raise self._pool.problem(
                f"{hard[0].quoted} holds labels where {self._pool.loss.name} takes probabilities",
                hint=f"if 0 and 1 are probabilities, add --pred {option(hard[0])}.",
            )
        return []

    def _refuse_probabilities(self, found: Sequence[Evidence]) -> list[Evidence]:
        if found:
            raise self._pool.problem(
                f"{found[0].quoted} holds probabilities where {self._pool.loss.spec} takes logits",
                hint="leave out --input logits, or name the logits with --pred.",
            )
        return []

    def _models(self, found: list[Evidence], truth: Evidence) -> list[Choice]:
        """One prediction, or several models where the names say so."""
        if len(found) > 1:
            found = self._of_subject(found, truth) or found
        if len(found) == 1:
            return [single(found[0], "its name and values say so")]
        own = [self._without(each.name.subject, truth) for each in found]
        known = [is_model(subject) for subject in own]
        distinct = len(set(own)) == len(own)
        related = all((correlation(each, truth) or 0) > 0 for each in found)
        if distinct and all(known[i] or not own[i] for i in range(len(found))) and any(known):
            return [single(each, "each is one of several models by its name") for each in found]
        if distinct and all(own) and any(known) and all(on_one_scale(each, truth) for each in found):
            return [single(each, "each is one of several models by its name") for each in found]
        if distinct and all(own) and related and self._pool.need == "probability" and truth.hard:
            return [single(each, "each is one of several models' probabilities") for each in found]
        raise self._pool.rivals("pred", found)

    def _without(self, subject: tuple[str, ...], truth: Evidence) -> tuple[str, ...]:
        return tuple(word for word in subject if word not in truth.name.words)

    def _of_subject(self, found: Sequence[Evidence], truth: Evidence) -> list[Evidence]:
        """Those that are called after what the target measures."""
        subject = tuple(word for word in truth.name.words if word not in TARGET) if truth.name.subject else ()
        subject = truth.name.subject if truth.name.part == "target" else subject
        return [each for each in found if subject and _within(subject, each.name.words)]

    # --- matrices -----------------------------------------------------------------------------------------------------

    def _matrices(self, target: Choice) -> list[Choice]:
        truth = target.columns[0]
        arrays = [each for each in self._data if each.vector and each.name.part != "target"]
        named = [e for e in arrays if e.name.part == "pred" or e.name.quantity == "score"]
        found_arrays = named or [each for each in arrays if OUTPUTS & set(each.name.words)]
        if len(found_arrays) > 1:
            raise self._pool.rivals("pred", found_arrays)
        if found_arrays:
            return [self._array(found_arrays[0])]
        if self._pool.need == "vector":
            raise self._pool.nothing("pred", "name its columns with --pred, for example --pred 'pred_*'.")
        numbers = [each for each in numbers_of(self._data) if each.name.quantity != "confidence"]
        found = families(numbers, () if truth.vector else truth.labels)
        fitting = [family for family in found if self._suits(family)]
        if len(fitting) == 1 or (fitting and all(is_model(_model_in(family)) for family in fitting)):
            return [self._classes(family) for family in fitting]
        if fitting:
            names = " and ".join(f'"{family.pattern}"' for family in fitting)
            raise self._pool.problem(
                f"{names} could each be the classes that {self._pool.loss.name} takes as pred",
                hint=f"say which with --pred '{fitting[0].pattern}'.",
            )
        if found:
            raise self._other_input(found[0])
        hint = "it takes one column for each class: name them with --pred, for example --pred 'prob_*'."
        raise self._pool.nothing("pred", hint)

    def _array(self, each: Evidence) -> Choice:
        domain = self._pool.loss.domain("pred")
        if self._pool.need == "classes" and not domain.simplex and each.vectors_sum_to_one:
            raise self._pool.problem(
                f"{each.quoted} holds probabilities where {self._pool.loss.spec} takes {domain.name}",
                hint=self._hint("probs", option(each)),
            )
        return single(each, "it holds a vector for each datum")

    def _classes(self, family: Family) -> Choice:
        why = "the endings of the names are the labels" if family.matched else "the columns are those of classes"
        return Choice(family.columns, why, family.pattern, family, matrix=True)

    def _suits(self, family: Family) -> bool:
        domain = self._pool.loss.domain("pred")
        if domain.log_simplex:
            return family.log_probabilities
        return family.probabilities if domain.simplex else not (family.probabilities or family.log_probabilities)

    def _other_input(self, family: Family) -> UsageError:
        wanted = self._pool.loss.domain("pred").name
        kind, word = "logits", "logits"
        if family.probabilities:
            kind, word = "probabilities", "probs"
        elif family.log_probabilities:
            kind, word = "log-probabilities", "log-probs"
        return self._pool.problem(
            f'"{family.pattern}" holds {kind} where {self._pool.loss.spec} takes {wanted}',
            hint=self._hint(word, f"'{family.pattern}'"),
        )

    def _hint(self, word: str, columns: str) -> str:
        """What to do with predictions of another kind: a loss of scores takes any number that the user means."""
        if "input" in self._pool.loss.params:
            return f"add --input {word}."
        return f"if they are meant as scores, add --pred {columns}."


def _model_in(family: Family) -> tuple[str, ...]:
    return tuple(word for word in family.stem if word not in PROBABILITY | LOGIT | PREDICTION | LABEL | {"p"})


def _within(part: tuple[str, ...], whole: tuple[str, ...]) -> bool:
    return any(whole[start : start + len(part)] == part for start in range(len(whole) - len(part) + 1))
