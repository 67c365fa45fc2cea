"""The node `camera_player`: a stand-in for a camera driver."""
