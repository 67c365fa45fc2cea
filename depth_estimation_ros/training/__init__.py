"""Training, evaluation and export of DenseDepth: the only part that needs PyTorch."""
