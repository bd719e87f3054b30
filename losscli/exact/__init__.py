"""Exact sums, sums of squares and sums of products of float64 tensors, as Python integers.

Extraction of high parts (Rump, Ogita, Oishi 2008, "Accurate floating-point summation"): for sigma = 1.5 * 2^(g+52) and
a small enough v, q = (v + sigma) - sigma is v rounded to a multiple of 2^g, and v - q is exact. Taken again and again
on ever finer grids this cuts a block into pieces of so few bits that sums of the pieces, and of products of two pieces,
are exact in float64: every partial sum is a multiple of the grid below 2^53 of its units. So neither the order of the
additions, nor fused multiply-adds, nor the device can change them, and one matrix product of the pieces with
themselves gives all sums of squares and products. A sum of floats is then a sum of Python integers.

Values far smaller than the largest of their block may keep a rest after the last piece. They are taken out and become a
block of their own, with a smaller largest value; a handful is added as integers, one by one.
"""

from losscli.exact.fold import fold_products as fold_products
from losscli.exact.fold import fold_values as fold_values
from losscli.exact.fold import fold_weighted as fold_weighted
from losscli.exact.pieces import UNIT as UNIT
from losscli.exact.pieces import two_product as two_product
from losscli.exact.sums import VALUES_IN_INT64 as VALUES_IN_INT64
from losscli.exact.sums import GroupSums as GroupSums
from losscli.exact.sums import Sums as Sums
