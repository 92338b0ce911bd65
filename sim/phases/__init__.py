"""The ten phases of a month, one file each; ``sim/month.py`` gives their order."""
