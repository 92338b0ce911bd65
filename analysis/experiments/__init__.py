"""Experiments on economies: histories, branches of them, whole runs; what was done is kept and used again."""
