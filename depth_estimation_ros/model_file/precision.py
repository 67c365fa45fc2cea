"""Number formats of a model file, and which backends it is for."""

from __future__ import annotations

from enum import Enum

__all__ = ['Precision', 'Target']


class Precision(str, Enum):
    """Number format of a model file's weights and arithmetic."""

    FP32 = 'fp32'
    FP16 = 'fp16'
    INT8 = 'int8'

    def __str__(self) -> str:
        return self.value


class Target(str, Enum):
    """Which backends a model file is meant for."""

    ANY = 'any'
    CPU = 'cpu'  # int8 with uint8 activations: onnxruntime, openvino
    TENSORRT = 'tensorrt'  # int8 with symmetric int8 activations

    def __str__(self) -> str:
        return self.value
