"""Edges to what is kept over a restart; `base` is what the rest of the product knows of them."""
