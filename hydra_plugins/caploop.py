"""Where Hydra looks for launchers: it takes them from this package alone."""

from sim.launcher import LocalLauncher

__all__ = ["LocalLauncher"]
