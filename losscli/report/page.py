"""What there is to know about a loss, as one list of sections: drawn on a terminal, written as Markdown or as JSON."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Union

from losscli.domain import Choice, Domain, Flag, Number, ParamRange, Word, number_text
from losscli.errors import UsageError, shown
from losscli.loss import Decided, Depends, Loss, Param, RoleDomain, domains_of, first_domain
from losscli.registry import peers
from losscli.report.text import json_text

SCHEMA = 1
CLASS_SCORES = ("logits", "probabilities", "log-probabilities")
LIBRARIES = {"torch": "PyTorch", "keras": "Keras", "optax": "Optax", "sklearn": "scikit-learn"}


@dataclass(frozen=True)
class Prose:
    """Paragraphs in which ``two backticks`` mark code."""

    text: str


@dataclass(frozen=True)
class Formula:
    """A formula in TeX."""

    tex: str


@dataclass(frozen=True)
class Grid:
    """A table of texts. Columns in ``code`` hold what is typed."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    code: tuple[int, ...] = (0,)


@dataclass(frozen=True)
class Facts:
    """Names with what is to be said about each."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Items:
    """A list."""

    texts: tuple[str, ...]


@dataclass(frozen=True)
class Code:
    """Lines to type, in the language of a shell or of Python."""

    lines: tuple[str, ...]
    language: str = "bash"


Part = Union[Prose, Formula, Grid, Facts, Items, Code]


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it."""

    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Page:
    """A loss's page.

    Attributes:
        name: of the loss.
        aliases: its other names.
        family: the heading in the catalogue.
        summary: the first sentence.
        sections: what follows, in order.
    """

    name: str
    aliases: tuple[str, ...]
    family: str
    summary: str
    sections: tuple[Section, ...]


def page(loss: Loss, format: str = "table", *, width: int | None = None, color: bool = False) -> str:
    """Everything about a loss, as text that ends with a line end.

    Args:
        loss: which.
        format: ``table`` for a terminal, ``md`` for the documentation, ``json`` for programs.
        width: columns of the terminal; None folds nothing.
        color: whether the terminal's page has colours.

    Raises:
        UsageError: another format.
    """
    from losscli.report import page_text

    if format == "table":
        return page_text.terminal(page_of(loss), width=width, color=color)
    if format == "md":
        return page_text.markdown_page(page_of(loss))
    if format == "json":
        return json_text({"schema": SCHEMA, "loss": loss_json(loss)}, indent=2) + "\n"
    raise UsageError(f"the page of a loss cannot be printed as {shown(format)}", hint="use table, md or json.")


def page_of(loss: Loss) -> Page:
    """The sections of a loss's page; those that would be empty are left out."""
    sections = [
        Section("Formula", _formulas(loss)),
        Section("What it does", (Prose(loss.description),) if loss.description else ()),
        Section("Behaviour", (Facts(_behaviour(loss)),) if _behaviour(loss) else ()),
        Section("Inputs", _inputs(loss)),
        Section("Parameters", (_parameters(loss.params),) if loss.params else ()),
        Section("Convention", (Prose(loss.convention),) if loss.convention else ()),
        Section("Who defines it otherwise", (Items(loss.differs),) if loss.differs else ()),
        Section("The same in other libraries", (_elsewhere(loss.same_as),) if loss.same_as else ()),
        Section("Under their own names", _peers(loss)),
        Section("Example", _example(loss)),
        Section("Commands", (Code(commands(loss)),)),
        Section("Python", (Code(_python(loss), "py"),)),
        Section("References", (Items(references(loss)),) if loss.cites else ()),
    ]
    if loss.peer is not None:
        sections = _sections_of_peer(loss, loss.peer.of)
    used = tuple(section for section in sections if section.parts)
    return Page(loss.name, loss.aliases, loss.family, loss.summary, used)


def _sections_of_peer(loss: Loss, of: str) -> list[Section]:
    """What another library's loss has of its own; its behaviour is told on the page of ours."""
    return [
        Section(f"Beside {of}", (Prose(loss.convention), Prose(f"``losscli show {of}`` says what that loss is."))),
        Section(f"Formula of {of}", _formulas(loss)[:1]),
        Section("Inputs", _inputs(loss)),
        Section("Parameters", (_parameters(loss.params),) if loss.params else ()),
        Section("Commands", (Code(commands(loss)),)),
        Section("Python", (Code(_python(loss), "py"),)),
    ]


def references(loss: Loss) -> tuple[str, ...]:
    """The works that a loss cites, in full."""
    from losscli.losses.references import REFERENCES

    return tuple(str(REFERENCES[key]) for key in loss.cites)


def domain_rows(loss: Loss) -> list[tuple[str, str, str, str]]:
    """For each role, and each domain that a parameter may give it: the role, when, what it may hold, its shapes."""
    roles: dict[str, RoleDomain] = {}
    for name, declared in loss.roles.items():
        roles[name] = declared
        if name in loss.derived:
            roles.update(loss.derived[name].roles)
    rows = []
    for name, declared in roles.items():
        for cases, domain in _by_domain(declared):
            when = " or ".join(cases)
            if when and not isinstance(declared, Decided):
                when = f"{_deciding(loss, declared)}={when}"
            shapes = " or ".join(f"({', '.join(shape.split())})" for shape in domain.shapes)
            shapes = re.sub(r"\.\.\.\w+", "...", shapes)
            rows.append((name, when, domain.phrase, shapes))
    return rows


def _by_domain(declared: RoleDomain) -> list[tuple[list[str], Domain]]:
    """The domains that a role can have, each with the words that lead to it; no words where there is one domain."""
    words: dict[Domain, list[str]] = {}
    for word, domain in domains_of(declared).items():
        words.setdefault(domain, []).append(str(word).lower() if isinstance(word, bool) else str(word))
    return [([] if len(words) == 1 else leading, domain) for domain, leading in words.items()]


def _deciding(loss: Loss, declared: RoleDomain) -> str:
    """The option whose words decide between a role's domains."""
    if isinstance(declared, Depends):
        return loss.param(declared.param).option
    return next(
        param.option
        for param in loss.params
        if isinstance(param.range, Choice)
        and not isinstance(declared, (Domain, Decided))
        and set(param.range.words) == set(declared)
    )


def _formulas(loss: Loss) -> tuple[Part, ...]:
    parts: list[Part] = [Formula(loss.formula)] if loss.formula else []
    if loss.gradient:
        parts += [Prose("Its derivative with respect to the prediction:"), Formula(loss.gradient)]
    return tuple(parts)


def _behaviour(loss: Loss) -> tuple[tuple[str, str], ...]:
    traits = loss.traits
    facts = (
        ("punishes", traits.punishes),
        ("convex", traits.convex),
        ("differentiable", traits.differentiable),
        ("bounded", traits.bounded),
        ("robust", traits.robust),
        ("values", loss.range),
        ("unit", loss.unit),
    )
    return tuple((name, text) for name, text in facts if text)


def _inputs(loss: Loss) -> tuple[Part, ...]:
    rows = domain_rows(loss)
    parts: list[Part] = [Facts(tuple(loss.role_help.items()))] if loss.role_help else []
    if any(when for _, when, _, _ in rows):
        parts.append(Grid(("role", "with", "holds", "shape"), tuple(rows), (0, 1)))
    else:
        parts.append(Grid(("role", "holds", "shape"), tuple((role, holds, shape) for role, _, holds, shape in rows)))
    for name, derived in loss.derived.items():
        sources = " and ".join(f"``{source}``" for source in derived.roles)
        parts.append(Prose(f"``{name}`` may be given, or is computed from {sources}."))
    return tuple(parts)


def _parameters(params: Sequence[Param]) -> Grid:
    rows = tuple(
        (f"--{param.option}", param.range.text(param.default), str(param.range), param.help) for param in params
    )
    return Grid(("option", "default", "range", "meaning"), rows, (0, 1))


def _elsewhere(same_as: Mapping[str, str]) -> Grid:
    return Grid(("library", "call"), tuple((LIBRARIES.get(name, name), call) for name, call in same_as.items()), (1,))


def _peers(loss: Loss) -> tuple[Part, ...]:
    """The losses of other libraries that correspond to it, each with its own number."""
    rows = [(name, peer.convention) for name, peer in peers().items() if peer.peer and peer.peer.is_of(loss.name)]
    return (Grid(("LOSS may also be", "which"), tuple(rows)),) if rows else ()


# --- examples ---------------------------------------------------------------------------------------------------------


def commands(loss: Loss) -> tuple[str, ...]:
    """Commands that show the loss at work on a file of the kind that it needs."""
    file = "preds.csv" if _from_table(loss) else "preds.npz"
    # What all data share stands in a file of its own.
    file = " ".join([*(f"--{role} {role}.npy" for role in loss.shared if role not in loss.optional), file])
    setting = example_setting(loss)
    lines = [f"losscli compute {loss.name} {file}"]
    if setting:
        lines.append(f"losscli compute {loss.name} --{setting[0]} {setting[1]} {file}")
    if "input" in [param.option for param in loss.params]:
        param = loss.param("input")
        other = next((word for word in getattr(param.range, "words", ()) if word != param.default), None)
        lines += [f"losscli compute {loss.name} --input {other} {file}"] if other else []
    lines.append(f"losscli compute {loss.name} --per-datum -o losses.csv {file}")
    if setting and loss.curve:
        lines.append(f"losscli plot {loss.name} --{setting[0]} {','.join(setting[2])}")
    elif loss.curve:
        lines.append(f"losscli plot {loss.name}")
    return tuple(lines)


def example_setting(loss: Loss) -> tuple[str, str, tuple[str, ...]] | None:
    """The first parameter that is a number, another value than its default, and three values for a sweep."""
    for param in loss.params:
        if not isinstance(param.range, Number):
            continue
        default = param.default if isinstance(param.default, (int, float)) else 1.0
        candidates = [default * factor for factor in (0.5, 1, 2)] if default else [0.0, 0.5, 1.0]
        if param.range.interval.high <= 1:
            candidates = [0.0, 0.1, 0.2] if not default else [0.1, 0.5, 0.9]
        allowed = tuple(number_text(value) for value in candidates if value in param.range.interval)
        other = next((value for value in reversed(allowed) if float(value) != default), None)
        if other is not None:
            return param.option, other, allowed
    return None


def _example(loss: Loss) -> tuple[Part, ...]:
    """The worked example of the docstring, which the tests run."""
    found = re.search(r"^Example:\n((?:    .*\n?|\n)+)", inspect.getdoc(loss.function) or "", re.M)
    return (Code(tuple(inspect.cleandoc(found.group(1)).splitlines()), "pycon"),) if found else ()


def _python(loss: Loss) -> tuple[str, ...]:
    setting = example_setting(loss)
    call = f'"{loss.name}"' + (f", {setting[0].replace('-', '_')}={setting[1]}" if setting else "")
    roles = ", ".join(loss.roles)
    named = ", ".join(f"{role}={role}" for role in loss.roles)
    spec = f"{loss.name}:{setting[0]}={setting[1]}" if setting else loss.name
    return (
        "import losscli",
        "",
        f"criterion = losscli.loss({call})",
        f"criterion({roles}).mean().backward()",
        f'losscli.compute("{spec}", {named}).value',
    )


def _from_table(loss: Loss) -> bool:
    """Whether each role can be a column of its own, or several side by side as the classes' scores."""
    domains = [first_domain(declared) for declared in loss.roles.values()]
    # Columns side by side are found for a prediction; a target of several columns has to be named.
    return all(domain.scalar for domain in domains[1:]) and (domains[0].scalar or domains[0].name in CLASS_SCORES)


# --- for programs -----------------------------------------------------------------------------------------------------


def loss_json(loss: Loss) -> dict[str, object]:
    """A loss as the object that ``show -f json`` writes."""
    return {
        "name": loss.name,
        "aliases": list(loss.aliases),
        "family": loss.family,
        "summary": loss.summary,
        "description": loss.description,
        "formula": loss.formula,
        "gradient": loss.gradient,
        "range": loss.range,
        "unit": loss.unit,
        "traits": {name: text for name, text in _behaviour(loss) if name not in ("values", "unit")},
        "roles": [
            {
                "role": role,
                "help": loss.role_help.get(role, ""),
                "when": when or None,
                "holds": holds,
                "shapes": shapes.split(" or "),
            }
            for role, when, holds, shapes in domain_rows(loss)
        ],
        "params": [_param_json(param) for param in loss.params],
        "convention": loss.convention,
        "differs": list(loss.differs),
        "same_as": dict(loss.same_as),
        "commands": list(commands(loss)),
        "references": list(references(loss)),
    }


def _param_json(param: Param) -> dict[str, object]:
    facts: dict[str, object] = {
        "name": param.name,
        "option": param.option,
        "kind": param.range.kind,
        "default": param.default,
        "range": str(param.range),
        "help": param.help,
    }
    return {**facts, **_bounds(param.range)}


def _bounds(range: ParamRange) -> dict[str, object]:
    if isinstance(range, Choice):
        return {"words": list(range.words)}
    if isinstance(range, (Flag, Word)):
        return {}
    bounds = range.interval
    return {"low": bounds.low, "high": bounds.high, "open_low": bounds.open_low, "open_high": bounds.open_high}


def code_parts(text: str) -> list[tuple[str, bool]]:
    """A text cut into pieces, with whether each is code.

    Example:
        >>> code_parts("beyond ``delta``.")
        [('beyond ', False), ('delta', True), ('.', False)]
    """
    pieces = re.split(r"``(.+?)``", text)
    return [(piece, position % 2 == 1) for position, piece in enumerate(pieces) if piece]
