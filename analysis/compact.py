"""Put the many small files of a sweep into one a table: ``python -m analysis compact SWEEP``."""

import argparse
import sys

from analysis import load


def main(arguments: list[str]) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m analysis compact", description=__doc__)
    parser.add_argument("sweep", help="outputs/sweeps/HASH, or a folder of runs")
    try:
        print(load(parser.parse_args(arguments).sweep).compact())
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0
