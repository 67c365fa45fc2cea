"""The authors' Keras weights, read without Keras."""
