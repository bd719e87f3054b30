"""A loss of one's own, as docs/add-a-loss.md uses it: a plain function, without anything of losscli."""


def stockout(pred, target, *, shortage: float = 3.0):
    """What a unit too few costs is `shortage` times what a unit too many costs.

    Args:
        shortage: the price of a unit that is missing, where one left over costs 1.
    """
    error = target - pred
    return error.clamp(min=0) * shortage + (-error).clamp(min=0)
