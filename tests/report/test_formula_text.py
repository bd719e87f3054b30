from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from losscli.loss import Loss
from losscli.registry import losses
from losscli.report.formula import unicode_formula

# What a person would write for it without TeX.
CASES = {
    r"e^2,\quad e = \hat{y} - y": "e²,  e = ŷ - y",
    r"\tfrac12 e^2": "½e²",
    r"\frac{1}{2}\left[s\, d^2 + (1 - s) \max(0, m - d)^2\right]": "½[s d² + (1 - s) max(0, m - d)²]",
    r"-y\ln p-(1-y)\ln(1-p)": "-y ln p - (1 - y) ln(1 - p)",
    r"|e|\le\delta": "|e| ≤ δ",
    r"\delta(|e|-\tfrac12\delta)\text{ otherwise}": "δ(|e| - ½δ) otherwise",
    r"\ln\cosh e": "ln cosh e",
    r"\frac{a+b}{c}": "(a + b)/c",
    r"\frac{a}{b+c}": "a/(b + c)",
    r"\frac{x^2}{b}+1": "x²/b + 1",
    r"\frac{y^{2-p}}{(1-p)(2-p)}": "y²⁻ᵖ/((1 - p)(2 - p))",
    r"\frac{b}{\alpha}(x-1)": "b/α · (x - 1)",
    r"2\frac ab": "2 · a/b",
    r"\sqrt{x^2+1}-1": "√(x² + 1) - 1",
    r"\sqrt n": "√n",
    r"e^{-z}": "e^(-z)",
    r"\sum_{j\ne y} w_j f_j": "Σ_(j≠y) wⱼfⱼ",
    r"\sum_c e^{z_c} - z_y": "Σ_c e^(z_c) - z_y",
    r"x^{\alpha/2}": "x^(α/2)",
    r"(1-p_t)^\gamma": "(1 - pₜ)ᵞ",
    r"\lVert a - b \rVert_2": "‖a - b‖₂",
    r"\|x\|": "‖x‖",
    r"\operatorname{sgn}(e)\min(|e|,\delta)": "sgn(e) min(|e|, δ)",
    r"\mathbb{1}[\hat y \neq y]": "𝟙[ŷ ≠ y]",
    r"\max(-\delta, x)": "max(-δ, x)",
    r"f'": "f′",
    r"x^\top y": "xᵀy",
    r"50\%\ \text{of a_b - c}": "50% of a_b - c",
    r"\frac{\partial}{\partial z} = p - y": "∂/∂z = p - y",
    r"\left.x\right|_0": "x|₀",
    r"\alpha\in[0,\infty)": "α ∈ [0, ∞)",
    "": "",
}


@pytest.mark.parametrize(("tex", "expected"), CASES.items(), ids=lambda value: value or "empty")
def test_a_formula_reads_as_one_would_write_it(tex: str, expected: str) -> None:
    assert unicode_formula(tex) == unicodedata.normalize("NFC", expected)


def test_cases_are_lines_with_their_conditions_below_each_other() -> None:
    tex = r"\begin{cases} \tfrac12 e^2 & |e| \le \delta,\\ \delta(|e| - \tfrac12\delta) & \text{otherwise}\end{cases}"
    assert unicode_formula(tex) == "½e²          |e| ≤ δ\nδ(|e| - ½δ)  otherwise"
    assert unicode_formula(rf"\ell = {tex}").split("\n")[0] == "ℓ ="


@pytest.mark.parametrize("loss", losses().values(), ids=lambda loss: loss.name)
def test_no_tex_is_left_in_any_formula_of_the_catalogue(loss: Loss) -> None:
    for tex in (loss.formula, loss.gradient):
        text = unicode_formula(tex)
        assert text or not tex
        # Braces are there where the formula has them, as for a set.
        braces = "" if "\\{" in tex else "{}"
        assert not set(text) & set(f"\\&${braces}")


@settings(max_examples=200, deadline=None)
@given(st.text("\\{}^_&|' ab1+-,.", max_size=20) | st.text(max_size=20))
def test_nothing_that_is_no_tex_makes_it_fail(tex: str) -> None:
    assert isinstance(unicode_formula(tex), str)
