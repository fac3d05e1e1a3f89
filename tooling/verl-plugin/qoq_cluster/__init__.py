"""Rewards and DRPO advantages of a QoQ-Med server, for training engines written in Python.

`client` calls the server; `trl_train` runs TRL's GRPOTrainer over it; `verl_drpo` is verl's plug-in. Mathematics and rewards are
the server's alone: nothing here computes an advantage.
"""

__version__ = "0.1.0"
