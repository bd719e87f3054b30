"""A loss's formula, which is declared in TeX, as text that a terminal can show."""

from __future__ import annotations

import re
import textwrap
import unicodedata

SYMBOLS = {
    **{name: chr(code) for code in range(0x3B1, 0x3CA) for name in [unicodedata.name(chr(code)).split()[-1].lower()]},
    **{"Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω"},
    **{"lambda": "λ", "varepsilon": "ε", "epsilon": "ε", "varphi": "φ", "vartheta": "θ", "ell": "ℓ", "partial": "∂"},
    **{"le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠", "neq": "≠", "lt": "<", "gt": ">", "ll": "≪", "gg": "≫"},
    **{"approx": "≈", "equiv": "≡", "in": "∈", "notin": "∉", "to": "→", "mapsto": "↦", "propto": "∝", "sim": "~"},
    **{"pm": "±", "mp": "∓", "cdot": "·", "times": "×", "div": "÷", "odot": "⊙", "circ": "∘", "ast": "*"},
    **{"cup": "∪", "cap": "∩", "setminus": "∖", "subset": "⊂", "subseteq": "⊆", "emptyset": "∅", "mid": "∣"},
    **{"land": "∧", "lor": "∨", "wedge": "∧", "vee": "∨", "neg": "¬", "forall": "∀", "exists": "∃"},
    **{"sum": "Σ", "prod": "Π", "int": "∫", "infty": "∞", "nabla": "∇", "top": "ᵀ", "colon": ":"},
    **{"ldots": "…", "dots": "…", "cdots": "⋯", "prime": "′", "backslash": "\\"},
    **{"lvert": "|", "rvert": "|", "vert": "|", "lVert": "‖", "rVert": "‖", "Vert": "‖", "|": "‖"},
    **{"lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉", "langle": "⟨", "rangle": "⟩"},
    **{"{": "{", "}": "}", "%": "%", "_": "_", "&": "&", "#": "#", "$": "$"},
    **{"quad": "  ", "qquad": "  ", ",": " ", ";": " ", ":": " ", " ": " ", "!": "", "\\": "\n"},
}
FUNCTIONS: tuple[str, ...] = (
    "ln",
    "log",
    "exp",
    "min",
    "max",
    "cos",
    "sin",
    "tan",
    "cosh",
    "sinh",
    "tanh",
    "arccos",
    "arctan",
    "arg",
)
FUNCTIONS += ("argmax", "argmin", "inf", "sup", "sgn", "sign", "det", "Pr", "lim", "median", "softmax")
# Sizes and styles, which a terminal does not have. \left and \right keep the bracket that follows.
IGNORED = {"left", "right", "big", "Big", "bigl", "bigr", "Bigl", "Bigr", "bigg", "Bigg", "biggl", "biggr", "limits"}
IGNORED |= {"displaystyle", "textstyle", "middle", "nolimits"}
# Commands that only choose a typeface for their argument.
FACES = {"mathrm", "mathit", "mathbf", "mathsf", "mathcal", "operatorname", "boldsymbol", "bm"}
ACCENTS = {
    "hat": "\u0302",
    "widehat": "\u0302",
    "bar": "\u0304",
    "overline": "\u0304",
    "tilde": "\u0303",
    "vec": "\u20d7",
}
FRACTIONS = {"1/2": "½", "1/4": "¼", "3/4": "¾", "1/3": "⅓", "2/3": "⅔", "1/6": "⅙", "1/8": "⅛", "1/5": "⅕"}
SUPERSCRIPTS = dict(zip("0123456789+-−=()niTkpqxyabcdm", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿⁱᵀᵏᵖ?ˣʸᵃᵇᶜᵈᵐ")) | {
    "ᵀ": "ᵀ",
    "α": "ᵅ",
    "β": "ᵝ",
    "γ": "ᵞ",
    "′": "′",
}
SUBSCRIPTS = dict(zip("0123456789+-−=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ"))
SUPERSCRIPTS.pop("q")

SUMS = ("Σ", "Π", "∫")
# Signs with a blank on either side, unless they stand before their only operand, as in -x.
SPACED = frozenset("+-=<>±≤≥≪≫≠≈≡∈∉→↦∝~∪∩∖⊂⊆∧∨×∣")
OPENING = frozenset("([{⟨⌊⌈,√ \n") | SPACED

TOKEN = re.compile(r"\\(?:[A-Za-z]+\*?|.)|\s+|.", flags=re.S)
# What can be divided or raised without brackets around it: a number, a name with its scripts, a bracket.
SCRIPT = r"(?:_(?:\w|\([^()]*\))|\^(?:\w|\([^()]*\))|[⁰¹²³⁴-₟ᵀ-ᵿⁿⁱˣʸ′ʳʰᵅᵝᵞ])*"
ATOM = re.compile(rf"(?:[∂∇]?(?:\w+|[^\W\d_][\u0302-\u0304])|[∞…ℓ]|\([^()]*\)|\|[^|]*\||‖[^‖]*‖){SCRIPT}")


def unicode_formula(tex: str) -> str:
    """The formula in one line, or a line for each of its cases.

    Example:
        >>> unicode_formula(r"\\tfrac12 e^2 \\text{ if } |e|\\le\\delta,\\quad \\delta(|e|-\\tfrac12\\delta)")
        '½e² if |e| ≤ δ,  δ(|e| - ½δ)'
    """
    text = _Reader(TOKEN.findall(tex)).read()
    lines = [line.rstrip() for line in text.strip("\n").split("\n")]
    return textwrap.dedent("\n".join(lines)).strip()


class _Reader:
    """Reads TeX from left to right: commands, groups, and what stands raised or lowered.

    Args:
        tokens: single characters, commands and runs of blanks.
        words: within ``\\text`` blanks count and signs are not operators.
    """

    def __init__(self, tokens: list[str], *, words: bool = False) -> None:
        self._tokens, self._words = tokens, words
        self._next = 0
        self._text = ""
        self._after_fraction = self._after_sum = False

    def read(self) -> str:
        """All of it as text."""
        while (token := self._take()) is not None:
            if token in ("^", "_") and not self._words:
                argument = _Reader(self._argument()).read().strip().replace(" ", "")
                self._text += _script(argument, raised=token == "^")
            else:
                self._add(token)
        return self._text

    def _take(self) -> str | None:
        if self._next == len(self._tokens):
            return None
        self._next += 1
        return self._tokens[self._next - 1]

    def _argument(self) -> list[str]:
        """The tokens of the next group, or the next token: \\tfrac12 is \\tfrac{1}{2}."""
        while (token := self._take()) is not None:
            if token == "{":
                return self._until("{", "}")
            if not token.isspace():
                return [token]
        return []

    def _until(self, opening: str, closing: str) -> list[str]:
        taken: list[str] = []
        depth = 1
        while (token := self._take()) is not None:
            depth += (token == opening) - (token == closing)
            if depth == 0:
                break
            taken.append(token)
        return taken

    def _math(self) -> str:
        return _Reader(self._argument()).read().strip()

    def _add(self, token: str) -> None:
        if token == "{":
            self._piece(_Reader(self._until("{", "}"), words=self._words).read())
        elif token.isspace():
            self._text += " " if self._words else ""
        elif token == "~":
            self._text += " "
        elif token == "&":
            self._text += "  "
        elif token[0] == "\\" and len(token) > 1:
            self._command(token[1:].rstrip("*"))
        elif token == "'":
            self._text += "′"
        elif self._words:
            self._text += token
        else:
            self._piece(token)

    def _command(self, name: str) -> None:
        if name in ("text", "textrm", "textit", "mbox"):
            self._text += _Reader(self._argument(), words=True).read()
        elif name in ("frac", "tfrac", "dfrac", "cfrac"):
            self._fraction(self._math(), self._math())
        elif name == "begin":
            self._rows("".join(self._argument()))
        elif name == "mathbb":
            inner = self._math()
            self._piece({"1": "𝟙", "R": "ℝ", "E": "𝔼", "N": "ℕ"}.get(inner, inner))
        elif name == "sqrt":
            self._piece(f"√{_bracketed(self._math())}")
        elif name in ACCENTS:
            base = self._math()
            self._piece(unicodedata.normalize("NFC", base + ACCENTS[name]) if len(base) == 1 else base)
        elif name in IGNORED:
            if self._tokens[self._next : self._next + 1] == ["."]:
                self._next += 1
        elif name in FACES:
            self._piece(self._math(), function=True)
        else:
            self._piece(SYMBOLS.get(name, name), function=name in FUNCTIONS)

    def _piece(self, piece: str, *, function: bool = False) -> None:
        """Adds a piece of mathematics, with the blanks that set it off from what stands before it."""
        if piece in SPACED and piece:
            operand = self._ends_operand()
            self._text = f"{self._text.rstrip(' ')} {piece} " if operand else self._text + piece
        elif piece == ",":
            self._text += ", "
        elif piece.isspace() and piece != "\n":
            self._text = f"{self._text.rstrip(' ')}{piece if self._text[-1:] != ' ' else '  '}"
        else:
            starts_operand = piece[:1].isalnum() or piece[:1] in "(Σ√|‖½"
            if self._after_fraction and starts_operand and not self._closes(piece):
                self._text += " · "
            elif self._is_apart(piece, function, starts_operand):
                self._text += " "
            self._text += piece
        self._after_fraction, self._after_sum = False, piece in SUMS

    def _is_apart(self, piece: str, function: bool, starts_operand: bool) -> bool:
        """Whether a blank sets a function's name or a sum off from what stands on either side of it."""
        if (function and len(piece) > 1) or piece in SUMS:
            return self._ends_operand()
        return starts_operand and (self._after_sum or (self._text.endswith(FUNCTIONS) and piece[0].isalnum()))

    def _closes(self, piece: str) -> bool:
        return piece[:1] in "|‖" and self._text.count(piece[0]) % 2 == 1

    def _ends_operand(self) -> bool:
        """Whether what stands so far ends with something that a sign can join to the next."""
        text = self._text.rstrip(" ")
        if not text or text[-1] in "|‖":
            return bool(text) and text.count(text[-1]) % 2 == 0
        return text[-1] not in OPENING and not self._text.endswith("  ")

    def _fraction(self, above: str, below: str) -> None:
        short = FRACTIONS.get(f"{above}/{below}")
        if short:
            self._piece(short)
            return
        if self._text[-1:].isalnum() or self._text[-1:] in (")", "]"):
            self._text += " · "
        numerator = f"({above})" if re.search(r" [-+±·] ", above) and not ATOM.fullmatch(above) else above
        self._text += f"{numerator}/{_bracketed(below)}"
        self._after_fraction = True

    def _rows(self, environment: str) -> None:
        inner = self._until("\\begin", "\\end")
        self._argument()
        rows = [row.strip() for row in _Reader(inner).read().split("\n") if row.strip()]
        cells = [[cell.strip().rstrip(",") for cell in row.split("  ", 1)] for row in rows]
        wide = max((len(row[0]) for row in cells), default=0)
        lines = (f"  {row[0].ljust(wide)}  {'  '.join(row[1:])}".rstrip() for row in cells)
        self._text += "\n" + "\n".join(lines if environment.rstrip("*") == "cases" else rows)


def _script(text: str, *, raised: bool) -> str:
    table = SUPERSCRIPTS if raised else SUBSCRIPTS
    if text and all(character in table for character in text):
        return "".join(table[character] for character in text)
    mark = "^" if raised else "_"
    return f"{mark}{text}" if len(text) == 1 or text.isalnum() else f"{mark}({text})"


def _bracketed(text: str) -> str:
    return text if ATOM.fullmatch(text) else f"({text})"
