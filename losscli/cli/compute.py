"""``losscli compute``: a subcommand for each loss. What computes is imported when it is run, not to print help."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from losscli.cli.options import ComputeOptions, LossGroup
from losscli.loss import BoundLoss


class ComputeGroup(LossGroup):
    """A subcommand for each loss."""

    options = ComputeOptions

    @staticmethod
    def run(bound: list[BoundLoss], roles: dict[str, list[str]], params: Mapping[str, str], options: Any) -> None:
        """Computes and prints."""
        from losscli.cli.computation import Computation

        losses = [each.bind(**params) for each in bound] if params else bound
        if options.compat is not None:
            from losscli.peers.compat import counterpart

            losses = [counterpart(each, options.compat) for each in losses]
        Computation(losses, roles, options).run()
