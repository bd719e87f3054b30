"""The losses of other libraries, each under its own name and with its own number: a module a library.

A peer differs from the loss of the catalogue in a scale, a clamp, an epsilon, a denominator, a default or the name of a
parameter. It is declared as just that, and takes everything else from the loss that it corresponds to.
"""
