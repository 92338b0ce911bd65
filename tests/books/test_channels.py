"""Channels as data: what a region's menu holds, and which menus are refused."""

from math import exp

from pydantic import ValidationError
from pytest import approx, mark, raises

from sim.books.channels import Capacity, Channel, Menu, menu
from sim.compose import resolve
from sim.mistakes import Mistakes

US = "sim.books.channels.us"


def catalogue(region: str = "us") -> dict[str, Channel]:
    of: Menu = getattr(resolve([]).sim.books.channels, region)
    return {channel.name: channel for channel in of.catalogue}


def test_capacity_grows_along_a_logistic_curve():
    """From 10 towards 40 at 1.1: 40 / (1 + 3 exp(-2.2)) = 30.0 after two years; 10 exp(-1) two years before, at a half."""
    capacity = Capacity(start=10.0, ripe=40.0, growth=1.1)
    assert [capacity.at(years, 0.5) for years in (-2.0, 0.0, 2.0)] == approx(
        [10.0 * exp(-1.0), 10.0, 40.0 / (1.0 + 3.0 * exp(-2.2))]
    )
    assert capacity.at(30.0) == approx(40.0) and Capacity(start=0.0, ripe=40.0, growth=1.1).at(30.0) == 0.0


def test_a_menu_holds_the_usual_two_and_what_is_open():
    assert [channel.name for channel in menu(resolve(["scenario=two_channels"]), "us")] == ["abs", "private"]
    opened = resolve([f"{US}.open=[private,cmbs,spv]", f"{US}.choice=cheapest"])
    assert [channel.name for channel in menu(opened, "us")] == ["abs", "private", "spv", "cmbs"]


def test_the_usual_channels_have_the_terms_of_their_groups():
    two = menu(resolve(["sim.markets.primary.us.closing_abs=7", "sim.books.deals.us.private=venture_debt"]), "us")
    assert two[0].closing == 7 and two[1].template == "venture_debt" and two[0].sold_as == "securities"


@mark.parametrize(
    ("lines", "words"),
    [
        ([f"{US}.open=[private,bank]"], "mix, that of abs and private: open both"),
        ([f"{US}.open=[cmbs]", f"{US}.choice=cheapest"], "no channel that finances what is built. Open private"),
        ([f"{US}.open=[abs,private,lease]"], "open names lease, which the catalogue does not have"),
        ([f"{US}.open=[abs,abs,private]"], "a channel is named twice"),
        ([f"{US}.choice=cheapest", "scenario=west_copies_china"], "no mix to copy. Leave the copier empty"),
    ],
)
def test_a_menu_that_finances_nothing_or_contradicts_itself_is_refused(lines, words):
    with raises(Mistakes, match=words):
        resolve(lines)


@mark.parametrize(
    ("change", "words"),
    [
        ({"most_senior": 0.95}, "most_senior 0.95 must not exceed most 0.9"),
        ({"anchored": 0.5}, "a guarantee is the tenant's: give anchored 1"),
        ({"junior_letter": "D"}, "no such letter"),
        ({"template": "spv"}, "no such template"),
    ],
)
def test_a_channel_that_contradicts_itself_is_refused(change, words):
    with raises(ValidationError, match=words):
        Channel.model_validate(catalogue()["spv"].model_dump() | change)


def test_originators_keep_their_part_of_chinese_trusts():
    """0.3 of an equity class of 0.59, and 0.2 of units of 1 - 0.2857: 0.18 and 0.143 of value."""
    china = catalogue("china")
    assert 1.0 - china["quasi_reit"].most == approx(0.3 * 0.59, abs=0.005)
    assert 1.0 - china["creit"].most == approx(0.2 * (1.0 - 0.2857), abs=0.001)
    assert china["creit"].most_senior <= 0.2857
