"""What a run says while it goes: a bar, a log file, TensorBoard."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
import sys
import time
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from depth_estimation_ros.files.atomic import naming

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

# tqdm's own, but for the pace: it counts work, not steps.
_BAR = '{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}'
_logger = logging.getLogger(__name__)


class RunLog:
    """Writes `log.jsonl`, one line a record, and the same to TensorBoard if it is installed.

    Lines of a later step than the one a run resumes at are dropped: they are made again. Without
    a folder, as in all processes of a run but one, it says nothing.
    """

    def __init__(
        self,
        folder: Path | None,
        *,
        first_step: int,
        num_steps: int,
        work_done: Callable[[int], float],
        quiet: bool = False,
    ) -> None:
        """Open the files and show the bar.

        Args:
            folder: Where they go.
            first_step: Steps that were done before.
            num_steps: Steps of the whole run.
            work_done: How much work so many steps are, in any unit: steps on small images cost
                less, and the time that is left has to know.
            quiet: Show no bar.
        """
        self.path = Path(os.devnull) if folder is None else folder / 'log.jsonl'
        self._board = None
        if folder is not None:
            self._keep_until(first_step)
            self._board = _open_tensorboard(folder / 'tensorboard', first_step)
        self._file = self.path.open('a', encoding='utf-8')
        self._work_done = work_done
        self._step = first_step
        self._num_steps = num_steps
        self._bar = tqdm(
            total=work_done(num_steps),
            initial=work_done(first_step),
            bar_format=_BAR,
            dynamic_ncols=True,
            disable=quiet or folder is None,
            mininterval=0.2 if sys.stderr.isatty() else 30.0,
            smoothing=0.05,
        )
        self._started = self._recorded = time.perf_counter()
        self._num_images = 0
        self.images_per_sec = 0.0

    def _keep_until(self, step: int) -> None:
        """Drop the records of steps that will be done again."""
        kept = [record for record in read_log(self.path) if record['step'] <= step]
        if step and kept:
            lines = ''.join(json.dumps(record) + '\n' for record in kept)
            self.path.write_text(lines, encoding='utf-8')
        else:
            self.path.unlink(missing_ok=True)

    def __enter__(self) -> RunLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.close()
        self._file.close()
        if self._board is not None:
            self._board.close()

    def advance(self, *, loss: float, num_images: int) -> None:
        """Move the bar by one step."""
        self._num_images += num_images
        elapsed = time.perf_counter() - self._started
        if elapsed > 2.0 or self.images_per_sec == 0.0:
            self.images_per_sec = self._num_images / max(elapsed, 1e-9)
        if elapsed > 20.0:
            self._started, self._num_images = time.perf_counter(), 0
        self._step += 1
        self._bar.set_description_str(f'step {self._step}/{self._num_steps}', refresh=False)
        self._bar.set_postfix_str(
            f'loss {loss:.4f}, {self.images_per_sec:.1f} images/s', refresh=False
        )
        self._bar.update(self._work_done(self._step) - self._bar.n)

    def record(self, step: int, **values: Any) -> None:
        """Write one record, with the seconds since the one before it."""
        now = time.perf_counter()
        seconds, self._recorded = round(now - self._recorded, 3), now
        with naming(self.path):
            self._file.write(json.dumps({'step': step, **values, 'seconds': seconds}) + '\n')
            self._file.flush()
        if self._board is not None:
            for name, value in values.items():
                if isinstance(value, float):
                    self._board.add_scalar(name, value, step)

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        if not self._bar.disable:
            self._bar.write(text, file=sys.stderr)


def read_log(path: Path) -> list[dict[str, Any]]:
    """Read the records of a run; a half-written last line is left out."""
    if not path.exists():
        return []
    records = []
    for line in path.read_text(encoding='utf-8', errors='replace').splitlines():
        try:
            record = json.loads(line)
            if isinstance(record['step'], int):
                records.append(record)
        except (ValueError, RecursionError, TypeError, KeyError):
            _logger.warning('%s: left out a line that is cut off or damaged', path)
    return records


def _open_tensorboard(folder: Path, first_step: int) -> Any:
    """Return a TensorBoard writer, or None where TensorBoard is not installed."""
    try:
        from torch.utils.tensorboard.writer import SummaryWriter
    except ImportError:
        _logger.info('no TensorBoard log: `pip install tensorboard` adds it')
        return None
    return SummaryWriter(str(folder), purge_step=first_step or None)
