"""Edges to what runs containers; `base` is what the rest of the product knows of them."""
