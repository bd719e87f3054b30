"""A loss's formula as matplotlib can set it: its mathtext knows a part of TeX only."""

from __future__ import annotations

import re

REPLACED = {
    r"\lvert": "|",
    r"\rvert": "|",
    r"\lVert": r"\|",
    r"\rVert": r"\|",
    r"\le": r"\leq",
    r"\ge": r"\geq",
    r"\bigl": "",
    r"\bigr": "",
    r"\Bigl": "",
    r"\Bigr": "",
    r"\big": "",
    r"\displaystyle": "",
    r"\textstyle": "",
    r"\textrm": r"\mathrm",
    r"\ne": r"\neq",
}


def mathtext(formula: str) -> str | None:
    """The formula as mathtext between dollars, or None where matplotlib cannot set it.

    Example:
        >>> mathtext(r"\\tfrac12 e^2 \\text{ if } |e| \\le \\delta")
        '$\\\\frac{1}{2} e^2 \\\\mathrm{\\\\ if\\\\ } |e| \\\\leq \\\\delta$'
    """
    from matplotlib.mathtext import MathTextParser

    text = re.sub(r"\\text\{([^{}]*)\}", lambda found: r"\mathrm{" + found[1].replace(" ", r"\ ") + "}", formula)
    # TeX takes single digits without braces.
    text = re.sub(r"\\[dt]?frac\s*(\d)\s*(\d)", r"\\frac{\1}{\2}", text)
    text = re.sub(r"\\[dt]frac(?![A-Za-z])", r"\\frac", text)
    text = re.sub(r"\\[A-Za-z]+", lambda command: REPLACED.get(command[0], command[0]), text)
    text = re.sub(r"\\begin\{cases\}(.*?)\\end\{cases\}", _cases, text, flags=re.S)
    text = " ".join(text.split())
    try:
        MathTextParser("path").parse(f"${text}$")
    except ValueError:
        return None
    return f"${text}$"


def _cases(found: re.Match[str]) -> str:
    """Cases one after the other: mathtext has no rows."""
    rows = [row.replace("&", r"\ ").strip().rstrip(",") for row in found[1].split(r"\\") if row.strip()]
    return r";\quad ".join(rows)


def lines(formula: str) -> list[str]:
    """The formula broken at its wide spaces, for pictures that are narrower than it."""
    parts = [part.strip() for part in formula.strip("$").split(r"\quad")]
    return [f"${part}$" for part in parts if part]
