"""An engine without containers: a file is the world, planning's own `apply` changes it."""

from iotistic.engines.simulated.engine import Pace, SimulatedEngine

__all__ = ["Pace", "SimulatedEngine"]
