"""What goes wrong with the fake TensorRT."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Faults:
    """What goes wrong, and how slow it is.

    Attributes:
        start: Error line with which no builder and no runtime can be made.
        parse: (description, operator, node) of a parser error.
        build: Error lines with which the build fails.
        context: Error line with which no execution context can be made.
        run: Error line with which runs fail; `capture` only while they are recorded.
        factor: The engine's depth is multiplied by it (a miscompiled engine).
        step_sec: Time of one of the 12 steps of a build.
        hurry: File that ends the step at hand, and those to come, once it is there.
    """

    start: str = ''
    parse: tuple[str, str, str] | None = None
    build: list[str] = field(default_factory=list)
    context: str = ''
    run: str = ''
    capture: str = ''
    factor: float = 1.0
    step_sec: float = 0.0
    hurry: str = ''
    num_dla_cores: int = 0
