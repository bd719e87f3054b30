"""Finds the target among the columns, by its name, by its prediction's name and by its values."""

from __future__ import annotations

from collections.abc import Sequence

from losscli.columns.choices import Choice, Pool, listed, numbers_of, option, own_predictions, single
from losscli.columns.classes import families
from losscli.columns.evidence import Evidence, correlation, positive_label, same_values
from losscli.errors import UsageError
from losscli.names import LABEL, PREDICTION, PROBABILITY, is_model

SMALL_FILE = 3
# A target and its prediction are related at least as much as this, whatever the model.
RELATED = 0.2
# is_fraud beside fraud_probability.
ASKS = {("is",), ("has",), ("was",)}
SCALAR = ("number", "probability", "logit")


class TargetSearch:
    """Finds the target of one loss, or its targets where each has a prediction of its own."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def targets(self) -> list[Choice]:
        """The target, or several.

        Raises:
            UsageError: nothing fits, or rivals do.
        """
        if self._pool.with_truth:
            return self._of_truth()
        near = self._predictions_by_name()
        strong = [each for each in self._pool.data if each.name.part == "target"]
        whole = [each for each in strong if each.name.whole]
        partial = [each for each in strong if not each.name.whole]
        pairs = self._same_subject(near)
        if whole:
            chosen = self._pool.only(self._pool.distinct(whole), "target")
            rivals = [each for each in pairs if not same_values(each, chosen)]
            if rivals and not any(pred.name.whole for pred in near):
                raise self._pool.rivals("target", [chosen, *rivals])
            return [self._checked(chosen, "its name says so")]
        if len(partial) > 1:
            with_pred = [each for each in partial if own_predictions(each, near)]
            if len(with_pred) > 1 and self._pool.need in SCALAR:
                return [self._checked(each, "each has a prediction of the same ending") for each in with_pred]
            partial = [self._pool.only(self._pool.distinct(with_pred or partial), "target")]
        if partial:
            if pairs and not own_predictions(partial[0], near):
                raise self._pool.rivals("target", [partial[0], *pairs])
            return [self._checked(partial[0], "its name says so")]
        if pairs:
            pairs = self._pool.distinct(pairs)
            if len(pairs) > 1 and self._pool.need not in SCALAR:
                raise self._pool.rivals("target", pairs)
            return [self._checked(each, "a prediction is called after it") for each in pairs]
        outcomes = [each for each in self._pool.data if each.name.outcome and self._pool.fits(each)]
        if outcomes and near:
            chosen = self._pool.only(self._pool.distinct(outcomes), "target")
            self._refuse_a_predicted_label(chosen, near)
            return [single(chosen, f"it stands beside {listed(near, 2)}")]
        return [self._lone_target(near)]

    def _of_truth(self) -> list[Choice]:
        wanted = [each for choice in self._pool.preds or () for each in choice.columns]
        near = wanted or [each for each in self._pool.data if each.name.part == "pred"]
        same = [t for t in self._pool.truth for p in (wanted or self._pool.data) if t.name.words == p.name.words]
        same = [t for t in same if not any(same_values(t, p) for p in self._pool.data if p not in wanted)] or same
        strong = [each for each in self._pool.truth if each.name.part == "target"]
        same = same if not near or wanted else []
        tiers: list[tuple[list[Evidence], str]] = [
            (same, "the prediction has the same name"),
            ([each for each in strong if each.name.whole], "its name says so"),
            (strong, "its name says so"),
            ([each for each in self._pool.truth if each.name.outcome], "it is the label in the file of the truth"),
            ([each for each in self._pool.truth if each.name.part != "pred"], "it is the only such column in its file"),
        ]
        for tier, why in tiers:
            several = len(tier) > 1 and tier is same and len(tier) == len(self._pool.data)
            if several and self._pool.need in SCALAR:
                return [single(each, why) for each in tier]
            if tier:
                return [self._checked(self._pool.only(self._pool.distinct(tier), "target"), why)]
        raise self._pool.nothing("target", "name it with --target.")

    def _lone_target(self, near: Sequence[Evidence]) -> Choice:
        """The one column that is called a label, or is the only other one that fits, in a small file."""
        unnamed = [
            each for each in self._pool.data if each.name.part == "free" and each not in near and self._pool.fits(each)
        ]
        if near and len(unnamed) == 1:
            only = unnamed[0]
            others = [each for each in self._pool.data if each not in near and each is not only]
            called = bool(only.name.words[0] == "y" or LABEL & set(only.name.words))
            if (called or len(others) < SMALL_FILE) and self._is_plausible(only, near):
                self._refuse_a_predicted_label(only, near)
                return single(only, "no other column beside the prediction can be the target")
        if near and len(unnamed) > 1:
            raise self._pool.rivals("target", unnamed)
        raise self._pool.nothing("target", "name it with --target, or give the file that holds it with --truth.")

    def _is_plausible(self, target: Evidence, near: Sequence[Evidence]) -> bool:
        """Whether the values agree: labels are those predicted, numbers rise with the prediction."""
        for pred in near:
            if pred.name.quantity == "label" or pred.column.kind == "text":
                return bool(set(pred.labels) & set(target.labels))
        numbers = [pred for pred in near if pred.numeric and pred.name.quantity != "confidence"]
        found = [correlation(pred, target) for pred in numbers] if target.numeric else []
        return all(value is None or value > RELATED for value in found)

    def _predictions_by_name(self) -> list[Evidence]:
        if self._pool.preds is not None:
            return [each for choice in self._pool.preds for each in choice.columns]
        named = [each for each in self._pool.data if each.name.part == "pred"]
        if named or self._pool.need == "classes":
            return named or [each for family in families(numbers_of(self._pool.data), ()) for each in family.columns]
        models = [each for each in numbers_of(self._pool.data) if is_model(each.name.subject, alone=True)]
        if models:
            return models
        scores = [each for each in numbers_of(self._pool.data) if each.name.quantity == "score"]
        others = [each for each in self._pool.data if each.name.outcome]
        return scores if others else []

    def _same_subject(self, near: Sequence[Evidence]) -> list[Evidence]:
        """Columns X beside which a prediction is called pred_X."""
        spent = PREDICTION | PROBABILITY | {"p"}
        own = [tuple(w for w in pred.name.words if w not in PREDICTION) for pred in near]
        own += [tuple(w for w in pred.name.words if w not in spent) for pred in near]
        wanted = {words for words in own if words and not is_model(words, alone=True)}
        free = [e for e in self._pool.data if e.name.part == "free" and e not in near]
        found = [e for e in free if e.name.words in wanted or (e.name.words[:1] in ASKS and e.name.words[1:] in wanted)]
        # "label" beside "predicted_label" is a weaker sign than a subject of its own.
        return [each for each in found if not each.name.outcome and each.column.kind != "date"]

    def _refuse_a_predicted_label(self, target: Evidence, near: Sequence[Evidence]) -> None:
        """A label that a lone probability decides without exception may be the prediction itself."""
        kinds = ("label", "number")
        labels = [each for each in self._pool.data if each.name.part == "pred" and each.name.quantity in kinds]
        if labels:
            return
        for family in families(numbers_of(near), target.labels):
            if family.decides(target):
                raise self._doubtful(target, f'it is always the largest of "{family.pattern}"')
        for pred in numbers_of(near):
            decided = positive_label(pred, target) if pred.name.quantity != "confidence" else None
            if decided == "":
                raise self._doubtful(target, f"{pred.quoted} is never below 0.5, as a confidence in it would be")
            if decided is not None:
                raise self._doubtful(target, f"{pred.quoted} tells its values apart without exception")
        if all(pred.name.quantity == "confidence" for pred in near):
            raise self._pool.nothing(
                "target", f"{target.quoted} beside a confidence is a prediction; add --truth FILE."
            )

    def _doubtful(self, target: Evidence, why: str) -> UsageError:
        return self._pool.problem(
            f"{target.quoted} may be the target or a prediction: {why}",
            hint=f"if it is the target, add --target {option(target)}; if not, give the truth with --truth.",
        )

    def _checked(self, each: Evidence, why: str) -> Choice:
        if self._pool.target_need == "number" and each.column.kind == "text":
            hint = "name another column with --target, or take a loss over classes."
            if each.numbers_as_text:
                preds = [e for e in self._pool.data if e.name.part == "pred" and (e.numeric or e.numbers_as_text)]
                pred = f"-p {option(preds[0])} " if len(preds) == 1 else ""
                hint = f"it holds numbers as text; {pred}-t {option(each)} reads them as numbers."
            raise self._pool.problem(
                f"{each.quoted} looks like the target, but holds words where {self._pool.loss.name} takes numbers",
                hint=hint,
            )
        return single(each, why)
