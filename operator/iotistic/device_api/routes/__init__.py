"""Routes by topic; each module makes one router around the controllers it asks."""
