"""The demo: a player, the node and a recorder; what they leave to look at."""
