"""The model that a node runs, from its parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from depth_estimation_ros.backends.base import (
    AUTO_ORDER,
    is_installed,
    unsuitable_reason,
)
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.model_file.default_model import find_model
from depth_estimation_ros.model_file.network_size import size_text
from depth_estimation_ros.ros.node.health.degradation import on_cpu_trouble

if TYPE_CHECKING:
    from pathlib import Path

    from depth_estimation_ros.backends.base import BackendName
    from depth_estimation_ros.backends.tensorrt.build_progress import BuildProgress
    from depth_estimation_ros.ros.parameters.node_parameters import NodeParameters


@dataclass(frozen=True, kw_only=True)
class LoadedModel:
    """An estimator and the file it came from.

    Attributes:
        path: of the file.
        estimator: runs it.
        gpu_backends: that are installed, suit the file and are tried before those of the CPU.
    """

    path: Path
    estimator: DepthEstimator
    gpu_backends: tuple[BackendName, ...] = ()

    def on_cpu_trouble(self, parameters: NodeParameters) -> str:
        """Say that it runs on the CPU though a GPU was asked for; empty if not so."""
        return on_cpu_trouble(
            used=self.estimator.backend_name,
            description=self.estimator.backend_description,
            dla_core=parameters.dla_core,
            passed_over=self.gpu_backends,
        )

    @property
    def facts(self) -> dict[str, str]:
        """Name -> value, for the diagnostics."""
        spec = self.estimator.spec
        height, width = spec.input_size
        return {
            'model': str(self.path),
            'backend': self.estimator.backend_description,
            'encoder': spec.encoder,
            'input size [px]': f'{width}x{height}{", free" if spec.free_size else ""}',
            'network sizes loaded': ', '.join(map(size_text, self.estimator.network_sizes)),
            'precision': str(spec.precision),
            'depth range [m]': f'{spec.min_depth:g} to {spec.max_depth:g}',
            'trained on': spec.training_data,
        }


def load_model(parameters: NodeParameters, progress: BuildProgress | None = None) -> LoadedModel:
    """Load what the parameters name.

    Args:
        parameters: of the node.
        progress: told what takes long, asked whether to go on.

    Raises:
        DepthEstimationError: the file or the backend cannot be used; the text says why.
    """
    options = parameters.backend_options(progress)
    path = find_model(parameters.model_path, backend=parameters.backend, options=options)
    estimator = DepthEstimator.from_file(
        path,
        parameters.backend,
        network_size=parameters.network_size,
        resize_mode=parameters.resize_mode,
        focal_normalization=parameters.focal_normalization,
        self_check=parameters.self_check,
        options=options,
    )
    gpu_backends = tuple(
        name
        for name in AUTO_ORDER
        if parameters.backend == 'auto'
        and name.device == 'cuda'
        and unsuitable_reason(name, estimator.spec, options=options) is None
        and is_installed(name)
    )
    return LoadedModel(path=path, estimator=estimator, gpu_backends=gpu_backends)
