"""The Docker engine, API 1.41 and newer, through the docker SDK."""

from iotistic.engines.docker.engine import DockerEngine

__all__ = ["DockerEngine"]
