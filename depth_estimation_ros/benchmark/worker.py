"""One case in a process of its own, so that its memory and its crash are its own.

`python -m depth_estimation_ros.benchmark.worker` reads a BenchmarkCase as JSON from stdin and
writes, as the last line of stdout, the CaseResult, or {"error": why}.
"""

from __future__ import annotations

from dataclasses import asdict
import json
import logging
import subprocess
import sys
from typing import Any

from depth_estimation_ros.benchmark.measure import (
    BenchmarkCase,
    CaseResult,
    SizeResult,
    measure_case,
)
from depth_estimation_ros.errors import BackendError, DepthEstimationError

__all__ = ['run_case']


def run_case(case: BenchmarkCase) -> CaseResult:
    """Measure a case in a new process; its log lines go to stderr.

    Raises:
        BackendError: It cannot be measured, or the process died.
    """
    done = subprocess.run(
        [sys.executable, '-m', 'depth_estimation_ros.benchmark.worker'],
        input=json.dumps(asdict(case)),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        start_new_session=True,  # Ctrl-C is for this process, which then ends the other
    )
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        how = f'signal {-done.returncode}' if done.returncode < 0 else f'code {done.returncode}'
        raise BackendError(f'backend {case.backend}: its process ended with {how}')
    answer: dict[str, Any] = json.loads(lines[-1])
    if 'error' in answer:
        raise BackendError(answer['error'])
    sizes = [
        SizeResult(**{**item, 'image_size': tuple(item['image_size'])})
        for item in answer.pop('sizes')
    ]
    return CaseResult(**answer, sizes=tuple(sizes))


def main() -> int:
    """Measure the case on stdin."""
    logging.basicConfig(level=logging.INFO, format='%(message)s', stream=sys.stderr)
    values: dict[str, Any] = json.load(sys.stdin)
    sizes = tuple((int(height), int(width)) for height, width in values.pop('image_sizes'))
    try:
        answer = asdict(measure_case(BenchmarkCase(**values, image_sizes=sizes)))
    except DepthEstimationError as err:
        answer = {'error': str(err)}
    sys.stdout.write(json.dumps(answer) + '\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
