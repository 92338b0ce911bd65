"""Policies by cost (compute not built) and benefit (losses avoided): ``python -m analysis policies [--seeds N] [--json]``.

Each is a scenario held against the baseline over the same seeds, as in ``compare``; the list is analysis/decisions/policies.yaml.
"""

from collections.abc import Sequence

from analysis.compare import act, options
from analysis.decisions.policies import load
from sim.terminal import judged


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code: 0 done, 2 wrong options, 4 a run failed."""
    found = options("policies", (__doc__ or "").splitlines()[0], scenarios=False)
    found.set_defaults(budget="0")
    chosen = found.parse_args(arguments)
    return judged(lambda: act(chosen, load().scenarios, chosen.budget, policies=True))
