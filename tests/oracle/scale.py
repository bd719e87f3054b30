"""Losses of a number together with how sure it is: its variance, its scale, or an ensemble.

A negative log-likelihood may change its sign. ``*_terms`` gives the numbers that it is the sum of, for one output: what
is lost where they cancel is measured against the largest of them.
"""

from __future__ import annotations

import mpmath
from mpmath import mpf

from tests.oracle.definition import Numbers, as_list, mean, true_loss
from tests.oracle.regression import over_outputs


def gaussian_nll_terms(
    pred: float, target: float, var: float | None = None, scale: float | None = None, full: bool = False
) -> list[mpf]:
    """Nix and Weigend 1994: (ln v + e^2/v)/2, and ln(2 pi)/2 with ``full``; v is the variance, or the scale squared."""
    v = mpf(scale) ** 2 if var is None else mpf(var)
    terms = [mpmath.log(v) / 2, (mpf(pred) - mpf(target)) ** 2 / v / 2]
    return [*terms, mpmath.log(2 * mpmath.pi) / 2] if full else terms


@true_loss
def gaussian_nll(
    pred: float | Numbers,
    target: float | Numbers,
    var: float | Numbers | None = None,
    scale: float | Numbers | None = None,
    full: bool = False,
) -> mpf:
    name, spread = ("scale", scale) if var is None else ("var", var)
    return over_outputs(
        lambda p, s, t: mpmath.fsum(gaussian_nll_terms(p, t, full=full, **{name: s})), pred, spread, target
    )


def laplace_nll_terms(pred: float, scale: float, target: float) -> list[mpf]:
    """-ln of the density e^(-|e|/b) / (2b), Laplace 1774."""
    b = mpf(scale)
    return [mpmath.log(2 * b), abs(mpf(pred) - mpf(target)) / b]


@true_loss
def laplace_nll(pred: float | Numbers, scale: float | Numbers, target: float | Numbers) -> mpf:
    return over_outputs(lambda p, b, t: mpmath.fsum(laplace_nll_terms(p, b, t)), pred, scale, target)


def student_t_nll_terms(pred: float, scale: float, target: float, df: float = 4.0) -> list[mpf]:
    """Lange 1989, in one dimension.

    The density is G((df + 1)/2) / (G(df/2) sqrt(df pi) s) (1 + (e/s)^2/df)^(-(df + 1)/2).
    """
    nu, s = mpf(df), mpf(scale)
    constant = mpmath.loggamma(nu / 2) - mpmath.loggamma((nu + 1) / 2) + mpmath.log(nu * mpmath.pi) / 2
    e = mpf(pred) - mpf(target)
    return [constant.real, mpmath.log(s), (nu + 1) / 2 * mpmath.log(1 + (e / s) ** 2 / nu)]


@true_loss
def student_t_nll(pred: float | Numbers, scale: float | Numbers, target: float | Numbers, df: float = 4.0) -> mpf:
    return over_outputs(lambda p, s, t: mpmath.fsum(student_t_nll_terms(p, s, t, df)), pred, scale, target)


@true_loss
def crps_gaussian(pred: float | Numbers, scale: float | Numbers, target: float | Numbers) -> mpf:
    """Gneiting 2005, equation 5: s (z (2 Phi(z) - 1) + 2 phi(z) - 1/sqrt(pi)), z = (y - mu)/s."""

    def score(mu: mpf, s: mpf, y: mpf) -> mpf:
        z = (y - mu) / s
        twice_phi = 2 * mpmath.exp(-(z**2) / 2) / mpmath.sqrt(2 * mpmath.pi)
        return s * (z * mpmath.erf(z / mpmath.sqrt(2)) + twice_phi - 1 / mpmath.sqrt(mpmath.pi))

    return over_outputs(score, pred, scale, target)


def crps_ensemble_terms(pred: Numbers, target: float, fair: bool = False) -> list[mpf]:
    """Gneiting and Raftery 2007, equation 21, for the distribution of the members; fair: Ferro 2014.

    How far the members are from what happened, less half of how far they are from each other: over all M^2 pairs, or
    over the M (M - 1) pairs of different ones.
    """
    x, m = as_list(pred), len(pred)
    apart = mpmath.fsum(abs(a - b) for a in x for b in x)
    pairs = m * (m - 1) if fair else m * m
    return [mean([abs(v - mpf(target)) for v in x]), -apart / (2 * pairs) if pairs else mpf("nan")]


@true_loss
def crps_ensemble(pred: Numbers, target: float, fair: bool = False) -> mpf:
    return mpmath.fsum(crps_ensemble_terms(pred, target, fair))
