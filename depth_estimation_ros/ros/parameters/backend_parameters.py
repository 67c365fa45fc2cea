"""Parameters of the model and of what runs it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from depth_estimation_ros.backends.base import BackendName
from depth_estimation_ros.backends.options import BackendOptions, option_default, option_facts
from depth_estimation_ros.model_file.network_size import AUTO
from depth_estimation_ros.ros.parameters.spec import parameter

if TYPE_CHECKING:
    from depth_estimation_ros.backends.tensorrt.build_progress import BuildProgress


def _option(name: str, *, default: Any = None) -> Any:
    """Make the parameter of a setting of the backends, by its declaration there."""
    facts = option_facts(name)
    return parameter(
        option_default(name) if default is None else default,
        f'{facts.description[0].upper()}{facts.description[1:]}.',
        unit=f'[{facts.unit}]' if facts.unit else '',
        limits=facts.limits,
        choices=facts.choices,
    )


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
    num_threads: int = _option('num_threads')
    openvino_precision: str = _option('openvino_precision')
    engine_cache_dir: str = _option('engine_cache_dir', default='')
    max_workspace_mb: int = _option('max_workspace_mb')
    dla_core: int = _option('dla_core')
    hardware_compatibility: str = _option('hardware_compatibility')
    tf32: bool = _option('tf32')
    cuda_graph: bool = _option('cuda_graph')
    self_check: bool = parameter(
        True, 'Run the probe stored in the model once on load and refuse a backend that fails it.'
    )

    def backend_options(self, progress: BuildProgress | None = None) -> BackendOptions:
        """Return what a backend is told.

        Args:
            progress: told what takes long, asked whether to go on.
        """
        values = {name: getattr(self, name) for name in _OPTIONS}
        folder = values['engine_cache_dir']
        values['engine_cache_dir'] = Path(folder).expanduser() if folder else None
        return BackendOptions(progress=progress, **values)


_OPTIONS = tuple(
    item.name for item in fields(BackendOptions) if hasattr(BackendParameters, item.name)
)
