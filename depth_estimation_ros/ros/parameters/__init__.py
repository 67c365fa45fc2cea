"""ROS parameters from dataclasses: declared, checked, documented."""
