"""Show the loop, and say how sure: ``python -m analysis loop [--quick] [--budget HOURS] [--seeds N] [--set KEY=VALUE]``."""

from analysis.loop.command import main

__all__ = ["main"]
