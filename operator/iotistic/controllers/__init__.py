"""Controllers: loops that bring the world to what is wanted, through Protocols only."""
