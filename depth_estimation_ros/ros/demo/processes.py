"""Nodes of the demo as processes of their own: started, watched, stopped."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

from depth_estimation_ros.errors import DepthEstimationError
from depth_estimation_ros.ros.launching.arguments import dds_environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

NUM_TAIL_LINES = 12
MAX_LINE_LENGTH = 110
# A node ends within two seconds of SIGINT; a model that is still loading may take longer.
STOP_TIMEOUT_SEC = 10.0
# Beside those that people and test tools take (0 to 101), above the ports Linux hands out.
_OWN_DOMAIN_IDS = range(215, 233)


class DemoError(DepthEstimationError):
    """The demo cannot go on; the text says which process failed and what it said last."""


class NodeProcess:
    """One node, its output in a file; a context manager that ends it."""

    def __init__(
        self,
        module: str,
        parameters: Mapping[str, object],
        *,
        folder: Path,
        environment: Mapping[str, str],
    ) -> None:
        """Start `python -m module`.

        Args:
            module: Of the node.
            parameters: ROS parameters.
            folder: For the parameter file and the output; also the working folder, so that a
                source checkout there cannot hide the installed package.
            environment: Of the process.
        """
        self.name = module.rpartition('.')[2]
        self._log_path = folder / f'{self.name}.log'
        # JSON is YAML in which every text is quoted: no path is taken for a number.
        parameter_path = folder / f'{self.name}.yaml'
        parameter_path.write_text(json.dumps({'/**': {'ros__parameters': dict(parameters)}}))
        command = [
            sys.executable,
            '-m',
            module,
            '--ros-args',
            '--params-file',
            str(parameter_path),
        ]
        with self._log_path.open('wb') as log:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C in the terminal is ours to pass on
            )

    def __enter__(self) -> NodeProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def tail(self) -> str:
        """Return the last lines that the process wrote."""
        lines = self._log_path.read_text(encoding='utf-8', errors='replace').splitlines()
        return '\n'.join(lines[-NUM_TAIL_LINES:])

    def progress(self) -> str:
        """Return what the process logged last, warnings and errors left out."""
        lines = [line for line in self.tail().splitlines() if line.startswith('[INFO]')]
        line = lines[-1].split(']: ', maxsplit=1)[-1] if lines else 'starts'
        return textwrap.shorten(line, MAX_LINE_LENGTH, placeholder=' ...')

    def check(self) -> None:
        """Do nothing while the process runs.

        Raises:
            DemoError: It ended.
        """
        code = self._process.poll()
        if code is not None:
            raise DemoError(f'{self.name} ended with exit code {code}:\n{self.tail()}')

    def last_error(self) -> str:
        """Return the last line that was logged as an error, empty if none was."""
        errors = [line for line in self.tail().splitlines() if line.startswith('[ERROR]')]
        return errors[-1].split(']: ', maxsplit=1)[-1] if errors else ''

    def stop(self) -> None:
        """Interrupt the process as Ctrl-C would; kill it only if that does not help."""
        if self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(STOP_TIMEOUT_SEC)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def demo_environment(domain_id: int | None, dds_profile: Path | None) -> dict[str, str]:
    """Return the environment of all processes of one demo, this one included.

    Args:
        domain_id: ROS domain of the demo; None = one of its own.
        dds_profile: Fast DDS profile for large images; one that the user has set stays.
    """
    if domain_id is None:
        domain_id = random.choice(_OWN_DOMAIN_IDS)  # noqa: S311 - no secret
    environment = dict(os.environ)
    environment['ROS_DOMAIN_ID'] = str(domain_id)
    if environment.get('ROS_DISTRO') == 'humble':
        environment['ROS_LOCALHOST_ONLY'] = '1'
    else:
        environment['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    if dds_profile is not None:
        environment.update(dds_environment(dds_profile, environment))
    return environment
