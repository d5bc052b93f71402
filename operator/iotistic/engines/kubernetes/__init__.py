"""Kubernetes: what an App becomes there (pure), and the connection to its API server."""
