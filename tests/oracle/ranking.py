"""Losses of the order of things: of two, or of a list of items that one query ranks."""

from __future__ import annotations

import mpmath
from mpmath import mpf

from tests.oracle.definition import Numbers, mean, true_loss
from tests.oracle.multiclass import log_sum_exp


def softplus(x: mpf) -> mpf:
    """ln(1 + e^x)."""
    return log_sum_exp([mpf(0), x])


@true_loss
def margin_ranking(first: float, second: float, order: float, margin: float = 0.0) -> mpf:
    """max(0, -y (x1 - x2) + m); Herbrich 2000 has the margin 1."""
    return max(mpf(0), -mpf(order) * (mpf(first) - mpf(second)) + mpf(margin))


@true_loss
def ranking_softmax(pred: Numbers, target: Numbers) -> mpf:
    """Cao 2007, top one probabilities, with the labels as they are: -sum y_i ln softmax(s)_i."""
    scores = [mpf(s) for s in pred]
    total = log_sum_exp(scores)
    return mpmath.fsum(mpf(y) * (total - s) for y, s in zip(target, scores, strict=True))


@true_loss
def ranknet(pred: Numbers, target: Numbers) -> mpf:
    """Burges 2005, section 3, of certain pairs: ln(1 + e^-(s_i - s_j)) where i belongs before j; their mean."""
    items = list(zip(pred, target, strict=True))
    values = [softplus(mpf(s_j) - mpf(s_i)) for s_i, y_i in items for s_j, y_j in items if y_i > y_j]
    return mean(values) if values else mpf(0)


@true_loss
def list_mle(pred: Numbers, target: Numbers) -> mpf:
    """Xia 2008: minus the log-likelihood of the true order by Plackett and Luce. Ties keep their order."""
    order = sorted(range(len(pred)), key=lambda k: -target[k])
    scores = [mpf(pred[k]) for k in order]
    return mpmath.fsum(log_sum_exp(scores[k:]) - s for k, s in enumerate(scores))


@true_loss
def approx_ndcg(pred: Numbers, target: Numbers, temperature: float = 0.1) -> mpf:
    """Qin 2010: 1 - NDCG with the gains 2^y - 1 and the ranks 1 + sum of sigmoids of the differences of scores."""
    scores = [mpf(s) / mpf(temperature) for s in pred]
    gains = [mpf(2) ** mpf(y) - 1 for y in target]

    def sigmoid(x: mpf) -> mpf:
        return 1 / (1 + mpmath.exp(-x))

    ranks = [1 + mpmath.fsum(sigmoid(t - s) for j, t in enumerate(scores) if j != i) for i, s in enumerate(scores)]
    # The logarithm's base cancels in the ratio.
    gained = mpmath.fsum(gain / mpmath.log(1 + rank) for gain, rank in zip(gains, ranks, strict=True))
    best = mpmath.fsum(gain / mpmath.log(1 + k) for k, gain in enumerate(sorted(gains, reverse=True), start=1))
    return 1 - gained / best if best else mpf("nan")
