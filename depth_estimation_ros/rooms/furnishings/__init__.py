"""What stands in a room: walls, furniture, small things, lamps, materials."""
