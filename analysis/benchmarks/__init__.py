"""How fast, against what, measured in one process: ``python -m analysis bench``."""
