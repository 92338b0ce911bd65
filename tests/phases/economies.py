"""A small economy for tests of one phase."""

from sim.build import build
from sim.compose import resolve

SMALL = ("size=class", "horizon_years=3", "regions=[us]", "sim.build.burn_in=0")


def economy_of(*overrides: str):
    """A small economy at its start, its record of the month open."""
    economy = build(resolve([*SMALL, *overrides]))
    economy.facts = {region: {} for region in economy.regions}
    return economy
