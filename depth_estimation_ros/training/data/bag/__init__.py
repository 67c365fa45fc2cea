"""Bags of ROS 1 and 2 as training data: topics, stamps, messages, bounds."""
