"""Metric depth from one camera image: training, export, inference and a ROS 2 node."""
