"""ROS messages to arrays and back, topics and their quality of service."""
