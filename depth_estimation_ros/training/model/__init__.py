"""The network: its layers, what its output means, its weights and their files.

`build_densedepth` and `DenseDepthNet` are loaded, and PyTorch with them, when they are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from depth_estimation_ros.training.model.network import DenseDepthNet, build_densedepth

__all__ = ['DenseDepthNet', 'build_densedepth']


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    from depth_estimation_ros.training.model import network

    return getattr(network, name)
