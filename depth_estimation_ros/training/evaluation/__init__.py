"""How good a network or a model file is, by which protocol."""
