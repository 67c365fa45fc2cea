"""What the launch files say: arguments and RViz's configuration."""
