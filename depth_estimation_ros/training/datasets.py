"""`open_dataset` under the name that documents give it."""

from depth_estimation_ros.training.data.datasets import DATASET_KINDS, open_dataset

__all__ = ['DATASET_KINDS', 'open_dataset']
