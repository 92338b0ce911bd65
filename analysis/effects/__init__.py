"""What each system does to boom and bust, pair by pair: ``python -m analysis effects [NAME ...] [--seeds N] [--json]``."""

from analysis.effects.command import main

__all__ = ["main"]
