"""``make test-cluster``: launchers that are optional extras. Apart from ``make test``, which finds ``test_*.py`` alone."""

import pytest

from sim.folders import differences

SWEPT = ("-m", "size=class", "horizon_years=1", "sim.build.burn_in=1", "scenario=us_only,china_only", "seed=range(0,2)")


@pytest.mark.parametrize("launcher", ["basic", "submitit_local"])
def test_a_sweep_leaves_the_same_bytes_under_every_launcher(sim, here, launcher):
    for name in ("local", launcher):
        done = sim(*SWEPT, f"hydra/launcher={name}", f"outputs.root={name}")
        assert done.returncode == 0 and "4 done" in done.stderr, done.stderr
    local, other = (here.glob(f"{name}/*/manifest.json") for name in ("local", launcher))
    first, second = ({path.parent.name: path.parent for path in paths} for paths in (local, other))
    assert len(first) == 4 and first.keys() == second.keys()
    assert not [run for run in first if differences(first[run], second[run])]
