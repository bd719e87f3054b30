"""Losses of counts and of positive amounts.

A negative log-likelihood may change its sign. ``*_terms`` gives the numbers that it is the sum of, for one output: what
is lost where they cancel is measured against the largest of them. A binomial coefficient that is 1 adds no terms.
"""

from __future__ import annotations

import mpmath
from mpmath import mpf

from tests.oracle.definition import Numbers, true_loss, x_ln
from tests.oracle.regression import over_outputs


def ln_gamma(x: mpf) -> mpf:
    return mpmath.loggamma(x).real


def poisson_nll_terms(pred: float, target: float, input: str = "log-rate", full: bool = False) -> list[mpf]:
    """-ln(e^-l l^y / y!) = l - y ln l + ln y!, Poisson 1837; without ``full`` the last term is left out."""
    y = mpf(target)
    rate = mpmath.exp(mpf(pred)) if input == "log-rate" else mpf(pred)
    terms = [rate, -(y * mpf(pred) if input == "log-rate" else x_ln(y, rate))]
    return [*terms, ln_gamma(y + 1)] if full else terms


@true_loss
def poisson_nll(pred: float | Numbers, target: float | Numbers, input: str = "log-rate", full: bool = False) -> mpf:
    return over_outputs(lambda p, y: mpmath.fsum(poisson_nll_terms(p, y, input, full)), pred, target)


@true_loss
def poisson_deviance(pred: float | Numbers, target: float | Numbers) -> mpf:
    """McCullagh and Nelder 1989, section 2.3: 2 (y ln(y/mu) - (y - mu)), with 0 ln 0 = 0."""
    return over_outputs(lambda mu, y: 2 * (x_ln(y, y / mu) - (y - mu)), pred, target)


@true_loss
def gamma_deviance(pred: float | Numbers, target: float | Numbers) -> mpf:
    """McCullagh and Nelder 1989, section 2.3: 2 (-ln(y/mu) + (y - mu)/mu)."""
    return over_outputs(lambda mu, y: 2 * (-mpmath.log(y / mu) + (y - mu) / mu), pred, target)


@true_loss
def tweedie_deviance(pred: float | Numbers, target: float | Numbers, power: float = 1.5) -> mpf:
    """The deviance of the variance function mu^p, Jørgensen 1987: 2 times the integral of (y - t)/t^p from mu to y.

    Where p < 0 a negative y is put at 0 in the part that does not depend on mu, as its power does not exist.
    """
    p = mpf(power)

    def deviance(mu: mpf, y: mpf) -> mpf:
        if p == 0:
            return (y - mu) ** 2
        if p == 1:
            return poisson_deviance(mu, y)
        if p == 2:
            return gamma_deviance(mu, y)
        base = max(y, mpf(0))
        of_y = base ** (2 - p) / ((1 - p) * (2 - p)) if base else mpf(0)
        return 2 * (of_y - y * mu ** (1 - p) / (1 - p) + mu ** (2 - p) / (2 - p))

    return over_outputs(deviance, pred, target)


def negative_binomial_nll_terms(pred: float, target: float, dispersion: float = 1.0) -> list[mpf]:
    """Cameron and Trivedi 1998, chapter 3, the model NB2, with alpha the dispersion and r = 1/alpha.

    The probability of y is G(y + r)/(G(r) y!) (r/(r + mu))^r (mu/(r + mu))^y.
    """
    mu, y, r = mpf(pred), mpf(target), 1 / mpf(dispersion)
    coefficient = [-ln_gamma(y + r), ln_gamma(r), ln_gamma(y + 1)] if y else []
    return [*coefficient, -r * mpmath.log(r / (r + mu)), -x_ln(y, mu / (r + mu))]


@true_loss
def negative_binomial_nll(pred: float | Numbers, target: float | Numbers, dispersion: float = 1.0) -> mpf:
    return over_outputs(lambda mu, y: mpmath.fsum(negative_binomial_nll_terms(mu, y, dispersion)), pred, target)


def binomial_nll_terms(pred: float, trials: float, target: float) -> list[mpf]:
    """The probability of k of n is n!/(k! (n - k)!) p^k (1 - p)^(n - k), Bernoulli 1713."""
    p, n, k = mpf(pred), mpf(trials), mpf(target)
    coefficient = [-ln_gamma(n + 1), ln_gamma(k + 1), ln_gamma(n - k + 1)] if 0 < k < n else []
    return [*coefficient, -x_ln(k, p), -x_ln(n - k, 1 - p)]


@true_loss
def binomial_nll(pred: float | Numbers, trials: float | Numbers, target: float | Numbers) -> mpf:
    return over_outputs(lambda p, n, k: mpmath.fsum(binomial_nll_terms(p, n, k)), pred, trials, target)
