"""The original's cloud: what it says and what is said to it."""
