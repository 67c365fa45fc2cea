"""The node `depth_estimation`: from a camera message to published depth."""
