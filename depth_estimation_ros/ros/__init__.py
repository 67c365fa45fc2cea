"""ROS 2 nodes: rclpy and message types are imported here and nowhere else in the package."""
