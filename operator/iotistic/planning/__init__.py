"""Pure planning: what is observed and what is wanted -> the steps to take now, each with its cause."""
