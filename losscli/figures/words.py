"""How pictures name losses, parameters and units: plain words and the signs that the formulas use."""

from __future__ import annotations

from collections.abc import Sequence

from losscli.domain import Number, Vector, Whole
from losscli.loss import BoundLoss, Param

GREEK = {
    "alpha": "α",
    "beta": "β",
    "gamma": "γ",
    "delta": "δ",
    "epsilon": "ε",
    "kappa": "κ",
    "lambda": "λ",
    "sigma": "σ",
    "tau": "τ",
}
LONGEST_NUMBER = 8  # characters
SUPERSCRIPTS = {"^2": "²", "^3": "³"}


def setting(bound: BoundLoss, param: Param) -> str:
    """One parameter as a legend shows it, such as ``δ = 0.5``."""
    value = bound.params[param.name]
    text = param.range.text(value)
    if isinstance(value, float) and len(text) > LONGEST_NUMBER:
        text = f"{value:.4g}"
    return f"{GREEK.get(param.option, param.option)} = {text}"


def name_with_settings(bound: BoundLoss, params: Sequence[Param]) -> str:
    """A loss with some of its parameters, such as ``focal (γ = 2, α = 0.25)``."""
    settings = [setting(bound, param) for param in params]
    return f"{bound.name} ({', '.join(settings)})" if settings else bound.name


def telling_params(bound: BoundLoss) -> list[Param]:
    """The parameters worth showing: those that are numbers, and those that differ from their defaults."""
    shown = []
    for param in bound.loss.params:
        value = bound.params[param.name]
        is_number = isinstance(param.range, (Number, Whole, Vector)) and value is not None
        # ignore-index and the like number something; they do not shape a curve. A default of zero is a thing left out.
        shapes_the_curve = is_number and not isinstance(param.range, Whole) and value != 0
        if shapes_the_curve or value != param.default:
            shown.append(param)
    return shown


def differing_params(losses: Sequence[BoundLoss]) -> list[Param]:
    """The parameters in which several bindings of one loss differ."""
    first = losses[0]
    return [
        param
        for param in first.loss.params
        if any(other.params[param.name] != first.params[param.name] for other in losses[1:])
    ]


def series_labels(losses: Sequence[BoundLoss]) -> list[str]:
    """What tells the losses of one picture apart: the parameter that differs, or the name."""
    labels = []
    for bound in losses:
        namesakes = [other for other in losses if other.loss is bound.loss]
        if len(namesakes) == len(losses) > 1:
            labels.append(", ".join(setting(bound, param) for param in differing_params(losses)))
        else:
            labels.append(name_with_settings(bound, telling_params(bound)))
    return labels


def title(losses: Sequence[BoundLoss]) -> str:
    """The title where the user gives none: the losses, with the parameters that they have in common."""
    first = losses[0]
    if len(losses) == 1:
        return name_with_settings(first, telling_params(first))
    if all(other.loss is first.loss for other in losses):
        differing = differing_params(losses)
        return name_with_settings(first, [param for param in telling_params(first) if param not in differing])
    return ", ".join(dict.fromkeys(bound.name for bound in losses))


def loss_label(losses: Sequence[BoundLoss], *, weighted: bool = False) -> str:
    """The name of the vertical axis, with its unit where all losses of the picture share it."""
    units = {bound.loss.unit for bound in losses}
    unit = units.pop() if len(units) == 1 else ""
    for power, sign in SUPERSCRIPTS.items():
        unit = unit.replace(power, sign)
    name = "loss × class weight" if weighted else "loss"
    return f"{name} ({unit})" if unit and unit not in ("1", "none") else name
