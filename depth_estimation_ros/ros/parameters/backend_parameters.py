"""Parameters of the model and of what runs it."""

from __future__ import annotations

from dataclasses import dataclass

from depth_estimation_ros.backends.base import (
    HARDWARE_COMPATIBILITIES,
    OPENVINO_PRECISIONS,
    BackendName,
)
from depth_estimation_ros.model_file.network_size import AUTO
from depth_estimation_ros.ros.parameters.spec import parameter


@dataclass(frozen=True, kw_only=True)
class BackendParameters:
    """The part of NodeParameters that is read when the model is loaded."""

    model_path: str = parameter(
        '',
        'Model file (.onnx, written by depth-estimation export), or the name of a shipped one: '
        'default, default-int8; empty: the one of these that is fastest here.',
    )
    backend: str = parameter(
        'auto',
        'What runs the network; auto takes the first that works of tensorrt, onnxruntime-cuda, '
        'openvino, onnxruntime and says which.',
        choices=('auto', *(name.value for name in BackendName)),
    )
    network_size: str = parameter(
        AUTO,
        "Input of the network as HEIGHTxWIDTH in multiples of 32; auto: the model's number of "
        "pixels in the camera's shape, or the model's own size if that is fixed.",
    )
    num_threads: int = parameter(
        0, 'Processor threads for the network; 0: the backend decides.', limits=(0, 256)
    )
    openvino_precision: str = parameter(
        'f32',
        'Arithmetic of the openvino backend; bf16 is faster on processors that have it and about '
        '1 % off.',
        choices=OPENVINO_PRECISIONS,
    )
    engine_cache_dir: str = parameter(
        '', 'Folder for TensorRT engines; empty: ~/.cache/depth_estimation_ros.'
    )
    max_workspace_mb: int = parameter(
        0,
        'GPU memory that one layer may use while a TensorRT engine is built, for Jetsons of 4 to '
        '8 GB; 0: no limit.',
        unit='[MB]',
        limits=(0, 65_536),
    )
    dla_core: int = parameter(
        -1, 'DLA core of a Jetson that TensorRT uses; -1: the GPU.', limits=(-1, 7)
    )
    hardware_compatibility: str = parameter(
        'none',
        'Other GPUs that the TensorRT engine shall run on as well, at some cost.',
        choices=HARDWARE_COMPATIBILITIES,
    )
    tf32: bool = parameter(
        True, 'Let TensorRT compute fp32 models in TF32: faster, and a little less exact.'
    )
    cuda_graph: bool = parameter(
        True, 'Record a run of TensorRT once and replay it: less work for the processor.'
    )
    self_check: bool = parameter(
        True, 'Run the probe stored in the model once on load and refuse a backend that fails it.'
    )
