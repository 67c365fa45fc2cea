"""The narrow interface between the cache of engines and what builds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from depth_estimation_ros.backends.tensorrt.engine_facts import EngineKey

__all__ = ['BuiltEngine', 'EngineBuilder']


@dataclass(frozen=True, kw_only=True)
class BuiltEngine:
    """What a builder gives."""

    engine: bytes
    timing_cache: bytes = b''


class EngineBuilder(Protocol):
    """Builds the engine of one model for one GPU."""

    @property
    def model_name(self) -> str:
        """Name of the model file."""

    @property
    def key(self) -> EngineKey:
        """What the engine will depend on."""

    def build(self, timing_cache: bytes) -> BuiltEngine:
        """Build it, which may take minutes.

        Args:
            timing_cache: What an earlier build learned on this machine, b'' = nothing. Bytes
                that cannot be used must be ignored.

        Raises:
            BackendError: It cannot be built.
            BuildCancelledError: Somebody asked to stop.
        """
