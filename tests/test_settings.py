"""Lines of settings, as commands of analysis put them together."""

from pytest import mark

from analysis.settings import key, over, seeds_among


def test_a_later_line_replaces_those_of_its_key():
    assert over(("size=class", "+horizon_years=4", "scenario=rest"), ["horizon_years=9", "+size=full"]) == (
        "scenario=rest",
        "horizon_years=9",
        "+size=full",
    )


@mark.parametrize("line", ["seed=3", "+seed=3", "seed=1,2"])
def test_a_seed_among_settings_is_named(line):
    assert key(line) == "seed" and [line in str(mistake) for mistake in seeds_among(["size=class", line])] == [True]
    assert not seeds_among(["sim.seeds=3"])
