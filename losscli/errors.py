"""Every way that losscli can fail, with the exit code and the words that a user sees.

This module imports nothing of losscli, so that every layer can raise its errors.
"""

from __future__ import annotations

from collections.abc import Iterable

SHOWN_LENGTH = 40


class LosscliError(Exception):
    """The root of all failures that losscli announces. A message says what is wrong, a hint what to do."""

    exit_code = 5

    def __init__(self, problem: str, *, hint: str | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.hint = hint

    def __str__(self) -> str:
        text = self.problem if self.problem.endswith((".", "?", "!")) else f"{self.problem}."
        return f"{text} Hint: {self.hint}" if self.hint else text


class GateFailed(LosscliError):
    """The numbers are right, but a gate such as ``--fail-over`` does not let them pass."""

    exit_code = 1


class UsageError(LosscliError):
    """The request itself is wrong: an unknown loss, column or option, a parameter outside its range."""

    exit_code = 2


class DataError(LosscliError):
    """What a file holds is wrong. Says where: the file, the 1-based data row, the physical line, the column."""

    exit_code = 3

    def __init__(
        self,
        problem: str,
        *,
        file: str | None = None,
        row: int | None = None,
        line: int | None = None,
        column: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.file, self.row, self.line, self.column = file, row, line, column
        self.detail = problem
        super().__init__(self._located(problem), hint=hint)

    def _located(self, problem: str) -> str:
        place = []
        if self.file is not None:
            place.append(escape(self.file))
        if self.row is not None:
            # The header is one line, so line = row + 1 says nothing new.
            moved = self.line is not None and self.line != self.row + 1
            place.append(f"row {self.row:,} (line {self.line:,})" if moved else f"row {self.row:,}")
        elif self.line is not None:
            place.append(f"line {self.line:,}")
        if self.column is not None:
            place.append(f'column "{escape(self.column)}"')
        return f"{', '.join(place)}: {problem}" if place else problem


class DatumError(DataError):
    """What a loss finds wrong with one datum. It knows neither file nor row: whoever gave it the data adds them."""

    def __init__(self, problem: str, *, role: str, datum: int, position: int = 0, hint: str | None = None) -> None:
        self.role, self.datum, self.position = role, datum, position
        super().__init__(problem, hint=hint)


class ResourceError(LosscliError):
    """Something cannot be read, written or used: a file, a disk, a device, a missing extra, a limit."""

    exit_code = 4


def escape(text: str) -> str:
    """The text with control, bidirectional and surrogate characters written as escapes.

    Example:
        >>> escape("a\\x1b[31mb")
        'a\\\\x1b[31mb'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def shown(value: object) -> str:
    """A value as error messages show it: escaped and cut at 40 characters.

    Example:
        >>> shown(1.03), shown("a" * 50)
        ('1.03', '"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa..."')
    """
    if isinstance(value, float):
        return f"{value:.17g}" if float(f"{value:.15g}") != value else f"{value:.15g}"
    if not isinstance(value, str):
        return escape(str(value))[:SHOWN_LENGTH]
    text = escape(value)
    return f'"{text[:SHOWN_LENGTH]}..."' if len(text) > SHOWN_LENGTH else f'"{text}"'


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """A hint that names the known words closest to a wrong one, or None where none is close.

    Example:
        >>> did_you_mean("hubber", ["huber", "mae"])
        'did you mean "huber"?'
    """
    from difflib import get_close_matches

    names = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), names, n=3, cutoff=0.6)
    if not close:
        return None
    options = " or ".join('"' + escape(names[name]) + '"' for name in close)
    return f"did you mean {options}?"
