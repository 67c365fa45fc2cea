"""`python -m depth_estimation_ros.ros.node`, and what `ros2 run` starts: the node."""

import sys

from depth_estimation_ros.startup import keep_freed_memory, leave_on_signals

leave_on_signals(0)
keep_freed_memory()

from depth_estimation_ros.ros.node.node import main  # noqa: E402 - takes a second

sys.exit(main())
