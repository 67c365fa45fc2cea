"""Runs the command as `python -m depth_estimation_ros.cli`."""

from __future__ import annotations

import sys

from depth_estimation_ros.startup import leaving_on_signals

with leaving_on_signals(130):
    from depth_estimation_ros.cli.main import main

sys.exit(main())
