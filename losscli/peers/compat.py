"""A loss of the catalogue as another library computes it: ``--compat torch``."""

from __future__ import annotations

from losscli.errors import UsageError, shown
from losscli.loss import BoundLoss, Loss
from losscli.registry import PEER_MODULES, find, peers


def counterpart(bound: BoundLoss, wanted: str) -> BoundLoss:
    """The peer of a loss, with those parameters that were changed from our defaults.

    Args:
        bound: a loss of the catalogue with its parameters.
        wanted: a library such as ``torch``, or the dotted name of one of its losses.

    Raises:
        UsageError: the library does not have the loss, or not with these parameters.

    Example:
        >>> from losscli.registry import parse_spec
        >>> counterpart(parse_spec("binary-cross-entropy"), "torch").spec
        'torch.nn.BCELoss'
        >>> counterpart(parse_spec("binary-cross-entropy:input=logits"), "torch").spec
        'torch.nn.BCEWithLogitsLoss'
    """
    if bound.loss.peer is not None:
        raise UsageError(f"{bound.name} is {bound.loss.peer.library}'s already", hint="leave --compat out.")
    if "." in wanted:
        chosen = find(wanted)
        if chosen.peer is None or not chosen.peer.is_of(bound.name):
            of = chosen.peer.of if chosen.peer is not None else chosen.name
            raise UsageError(f"{chosen.name} corresponds to {of}, not to {bound.name}")
        return _bound(bound, chosen)
    if wanted not in PEER_MODULES:
        raise UsageError(f"--compat {shown(wanted)} is not one of {', '.join(PEER_MODULES)}, or a dotted name")
    having = [loss for loss in peers(wanted).values() if loss.peer is not None and loss.peer.is_of(bound.name)]
    if not having:
        raise UsageError(f"{wanted} has no {bound.name}", hint=_elsewhere(bound.name))
    fitting = [loss for loss in having if _fits(bound, loss)]
    if not fitting:
        names = ", ".join(f"{loss.name}{_condition(loss)}" for loss in having)
        raise UsageError(
            f"{wanted} has no {bound.name} with {_settings(bound)}",
            hint=f"it has {names}; losscli show tells their parameters.",
        )
    closest = max(len(loss.peer.when) for loss in fitting if loss.peer is not None)
    best = [loss for loss in fitting if loss.peer is not None and len(loss.peer.when) == closest]
    # What scikit-learn reports comes before what its estimators minimise.
    best = [loss for loss in best if loss.name.startswith("sklearn.metrics.")] or best
    if len(best) > 1:
        options = " or ".join(f"--compat {loss.name}" for loss in best)
        raise UsageError(f"{wanted} has {len(best)} counterparts of {bound.name}", hint=f"say which: {options}.")
    return _bound(bound, best[0])


def _condition(loss: Loss) -> str:
    """For which parameters of ours a peer is the counterpart, in brackets."""
    when = loss.peer.when if loss.peer is not None else {}
    return f" (for {', '.join(f'{name}={value}' for name, value in when.items())})" if when else ""


def _settings(bound: BoundLoss) -> str:
    """The parameters as words: those that say what the data hold, and those that were changed."""
    shown = {"input": bound.params["input"]} if "input" in bound.params else {}
    return ", ".join(f"{name}={value}" for name, value in {**shown, **_changed(bound)}.items()) or "its defaults"


def _elsewhere(name: str) -> str:
    found = [loss.name for loss in peers().values() if loss.peer is not None and loss.peer.is_of(name)]
    return f"others have it: {', '.join(found)}." if found else "no other library that losscli knows has it."


def _changed(bound: BoundLoss) -> dict[str, object]:
    return {
        param.name: bound.params[param.name] for param in bound.loss.params if bound.params[param.name] != param.default
    }


def _fits(bound: BoundLoss, loss: Loss) -> bool:
    assert loss.peer is not None
    known = {param.name for param in loss.params}
    taken = all(bound.params.get(name) == value for name, value in loss.peer.when.items())
    others = (name for name in _changed(bound) if name not in loss.peer.when)
    return taken and all(loss.peer.names.get(name, name) in known for name in others)


def _bound(bound: BoundLoss, loss: Loss) -> BoundLoss:
    assert loss.peer is not None
    when, names = loss.peer.when, loss.peer.names
    unlike = [f"{name}={value}" for name, value in when.items() if bound.params.get(name) != value]
    if unlike:
        raise UsageError(f"{loss.name} is {bound.name} with {', '.join(unlike)}, not {bound.spec}")
    given = {names.get(name, name): value for name, value in _changed(bound).items() if name not in when}
    if "input" in names:
        # How the data are to be read is passed on even where it is our default: theirs may be another.
        given[names["input"]] = str(bound.params["input"])
    return loss.bind(**given)
