"""`load_keras` under the name that documents give it."""

from depth_estimation_ros.training.keras.weights import load_keras

__all__ = ['load_keras']
