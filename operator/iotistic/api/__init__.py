"""Resources: what a person writes, validated once, then trusted."""
