"""scikit-learn's losses of stochastic gradient descent, by the words that SGDClassifier and SGDRegressor take.

The labels of the classifier's losses may be coded 0 and 1, or -1 and 1; scikit-learn recodes them itself.
"""

from __future__ import annotations

from losscli.peers.declare import alias

SAME = "It is the same."

alias("sgd.hinge", of="hinge", note="The margin is 1.", fixed={"margin": 1.0})
alias("sgd.squared_hinge", of="squared-hinge", note="The margin is 1.", fixed={"margin": 1.0})
alias("sgd.perceptron", of="perceptron", note=SAME)
alias("sgd.log_loss", of="soft-margin", note=SAME)
alias("sgd.modified_huber", of="modified-huber", note=SAME)
alias("sgd.squared_error", of="mse", note="It is half the squared error.", scale=0.5)
alias(
    "sgd.huber",
    of="huber",
    note="delta is called epsilon, and is 0.1 where it is not given.",
    params={"epsilon": "delta"},
    defaults={"epsilon": 0.1},
)
alias(
    "sgd.epsilon_insensitive",
    of="epsilon-insensitive",
    note=SAME,
    params={"epsilon": "epsilon"},
    defaults={"epsilon": 0.1},
)
alias(
    "sgd.squared_epsilon_insensitive",
    of="squared-epsilon-insensitive",
    note=SAME,
    params={"epsilon": "epsilon"},
    defaults={"epsilon": 0.1},
)
