"""A table over all runs of a sweep as a file: ``python -m analysis export SWEEP TABLE FILE`` (.parquet, .csv, .dta)."""

import argparse
import sys

from analysis import load
from sim.columns import COLUMNS


def main(arguments: list[str]) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m analysis export", description=__doc__)
    parser.add_argument("sweep", help="outputs/sweeps/HASH, or a folder of runs")
    parser.add_argument("table", choices=COLUMNS)
    parser.add_argument("file")
    parser.add_argument("--columns", nargs="+", help="only these")
    chosen = parser.parse_args(arguments)
    try:
        print(load(chosen.sweep).export(chosen.table, chosen.file, chosen.columns))
    except (ValueError, KeyError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0
