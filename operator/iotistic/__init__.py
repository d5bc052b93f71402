"""Iotistic Edge: runs container apps on edge devices and keeps them running."""

__version__ = "0.1.0"
