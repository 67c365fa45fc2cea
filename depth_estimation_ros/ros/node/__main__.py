"""`python -m depth_estimation_ros.ros.node`: the node, as scripts/depth_estimation starts it."""

import sys

from depth_estimation_ros.startup import keep_freed_memory, leave_on_signals

leave_on_signals(0)
keep_freed_memory()

from depth_estimation_ros.ros.node.node import main  # noqa: E402 - takes a second

sys.exit(main())
