"""Text that is safe where it is put: numbers for people, and what files hold in JSON, Markdown, LaTeX and CSV."""

from __future__ import annotations

import json
import math
import re

from losscli.domain import Value, number_text
from losscli.errors import escape

PRECISION = 6
_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\symbol{34}",
}


def significant(value: float | None, digits: int = PRECISION) -> str:
    """A number rounded for a person; empty for None.

    Example:
        >>> significant(1 / 3), significant(123456789.0, 3), significant(2.0), significant(float("nan"))
        ('0.333333', '1.23e+08', '2', 'nan')
    """
    return "" if value is None else f"{value:.{digits}g}"


def full(value: object) -> str:
    """A value as flat formats hold it: a number with all its digits, a missing value as nothing.

    Example:
        >>> full(0.1), full(None), full(float("inf")), full(True), full("a")
        ('0.1', '', 'inf', 'true', 'a')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def params_text(params: dict[str, Value]) -> str:
    """Parameters as a spec writes them.

    Example:
        >>> params_text({"delta": 1.0, "class_weight": (0.2, 0.8), "alpha": None})
        'delta=1:class-weight=0.2/0.8:alpha=none'
    """
    return ":".join(f"{name.replace('_', '-')}={_param_text(value)}" for name, value in params.items())


def _param_text(value: Value) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "/".join(number_text(part) for part in value)
    return number_text(value) if isinstance(value, (int, float)) else value


def json_text(value: object, *, indent: int | None = None) -> str:
    """A value as JSON: what is not finite is null, and control and bidirectional characters are escapes.

    Example:
        >>> json_text({"value": float("nan"), "file": "a\\x1b.csv", "n": 2})
        '{"value": null, "file": "a\\\\u001b.csv", "n": 2}'
    """
    plain = json.dumps(_jsonable(value), indent=indent, ensure_ascii=False, allow_nan=False)
    # Outside strings all of JSON is printable, but for the line ends of its layout.
    if plain.replace("\n", "").isprintable():
        return plain
    return "".join(c if c.isprintable() or c == "\n" else _unicode_escape(c) for c in plain)


def _unicode_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def _jsonable(value: object) -> object:
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _jsonable(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_jsonable(part) for part in value]
    if hasattr(value, "item"):
        return _jsonable(value.item())
    return str(value)


def delimited(cell: str, delimiter: str) -> str:
    """A cell of CSV or TSV, in quotes where it needs them (RFC 4180).

    Example:
        >>> delimited("a,b", ","), delimited("a,b", "\\t")
        ('"a,b"', 'a,b')
    """
    if any(c in cell for c in (delimiter, '"', "\n", "\r")):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def encodable(text: str) -> str:
    """The text with what UTF-8 cannot hold, the undecodable bytes of a file's name, as escapes.

    Example:
        >>> encodable("a\\udcff.csv")
        'a\\\\udcff.csv'
    """
    return text.encode("utf-8", "backslashreplace").decode()


def markdown(text: str) -> str:
    """The text as Markdown that shows it as typed, also within a table.

    Example:
        >>> markdown("p_a*b|c")
        'p\\\\_a\\\\*b\\\\|c'
    """
    entities = re.sub(r"[<~$]|&(?=#?\w+;)", lambda found: f"&#{ord(found[0])};", escape(text))
    # Backslashes before these alone are known to every kind of Markdown; the # of an entity is none of them.
    return re.sub(r"[\\`*_\[\]|]|(?<!&)#", r"\\\g<0>", entities)


def latex(text: str) -> str:
    """The text as LaTeX that shows it as typed.

    Example:
        >>> latex("50% of p_a")
        '50\\\\% of p\\\\_a'
    """
    # Two hyphens would become a dash.
    return "".join(_LATEX.get(c, c) for c in escape(text)).replace("--", "-{}-")
