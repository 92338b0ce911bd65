"""Statements on monthly series, held against runs that each of them asks for: read, run, judged, shown."""
