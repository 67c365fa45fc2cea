"""From a checkpoint to a model file: graph, precision, checks."""
