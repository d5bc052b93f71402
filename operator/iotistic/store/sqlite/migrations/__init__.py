"""How the schema came about: one revision a file in `versions`, numbered, never edited once released."""
