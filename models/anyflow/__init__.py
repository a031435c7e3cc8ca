"""AnyFlow Studio: how the weights are made (rendering, training, evaluation, export)."""
