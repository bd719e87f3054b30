"""Numerics that families share: formulas that keep a loss within a few ULP where the textbook form loses digits.

``elementary`` is where most losses begin, ``twofold`` where a float has too few digits, ``slopes`` where a derivative
is given and not found. The others each serve a family or two: ``classes`` everything with classes, ``deviance`` counts
and divergences, ``similarity`` embeddings.
"""
