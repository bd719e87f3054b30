"""Mergeable summaries of losses: exact sums, moments, extremes and groups.

Everything here is plain numbers, so it pickles and needs no torch; only ``of`` reads tensors. Merging adds integers, so
that chunks, threads, files and machines give the same bits in any order and any tree.
"""

from losscli.summary.exact_sum import ExactSum as ExactSum
from losscli.summary.exact_sum import extremes as extremes
from losscli.summary.exact_sum import rounded as rounded
from losscli.summary.exact_sum import rounded_root as rounded_root
from losscli.summary.groups import Groups as Groups
from losscli.summary.moments import Summary as Summary
