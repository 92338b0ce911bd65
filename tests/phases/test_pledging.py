"""Channels that other parts of units back than others: what each lends, what sponsors owe beyond it, what take-outs pledge."""

import numpy as np
from pytest import approx, mark

from agents.operators import Operator
from sim.books.deals import BUILDING, OPERATING
from sim.books.fleet import BEFORE
from sim.books.templates import roll_over
from sim.compose import resolve
from sim.markets import parts
from sim.markets.parts import CHIPS, SITE, WHOLE
from sim.phases import building, dealing, issuing, placing, pledging, pricing, refinancing
from sim.phases.collateral import package
from sim.phases.library import channel_template
from sim.valuing import own_site_rents, site_values, used_value
from tests.phases.economies import economy_of

ON = "sim.markets.parts.units=parts"
TWO = "sim.books.channels.us.open=[abs,private]"
BANKS = ("sim.books.channels.us.open=[abs,private,bank]", "sim.books.channels.us.terms=own")


def test_channels_that_are_backed_apart_get_each_its_own_advance():
    """Agencies size sites at 0.5, chips at 0.8, the mix at 0.75. The market lends 0.6 of it: 0.6 x 0.5 / 0.75 = 0.4, and 0.64."""
    economy = economy_of("scenario=separate_parts", TWO)
    economy.sized["us"] = np.array([[[0.3, 0.5], [0.8, 0.8]]])
    economy.publish("us", structured_debt=0.75)
    assert pledging.advances(economy, "us", 0.7, 0.75) == approx(np.array([[0.3, 0.5], [0.8, 0.8]]))
    assert pledging.advances(economy, "us", 0.7, 0.6)[:, 1] == approx([0.4, 0.64])
    plain = economy_of(TWO)
    plain.sized["us"] = economy.sized["us"]
    assert pledging.advances(plain, "us", 0.7, 0.75).tolist() == [[0.7, 0.75]] * 2


def test_a_closed_channel_that_nobody_sizes_is_refinanced_at_the_markets_rate():
    """Of abs, closed, nothing is known; private, sized at 0.8 beside a mix of 0.8, gets 0.6 of 0.6."""
    economy = economy_of("scenario=separate_parts", "sim.books.channels.us.open=[private]", "sim.books.channels.us.choice=cheapest")
    economy.sized["us"] = np.array([[[0.0, 0.0], [0.8, 0.8]]])
    economy.publish("us", structured_debt=0.8)
    assert pledging.advances(economy, "us", 0.5, 0.6) == approx(np.array([[0.5, 0.6], [0.6, 0.6]]))


def test_debt_of_channels_backed_apart_counts_by_their_pledge_and_use():
    """A tenth on sites that are 0.4 of cost at 0.5, the rest on chips that are 0.6 at 0.8: 0.1 x 0.2 + 0.9 x 0.48 = 0.452."""
    economy = economy_of("scenario=separate_parts", TWO, "sim.books.channels.us.terms=own")
    economy.publish("us", abs_share=0.1)
    economy.rates["us"][:] = [[0.5, 0.5], [0.8, 0.8]]
    assert placing.usual_debt(economy, "us") == approx(0.452)
    operator = economy.all("operator", "us")[0]
    market, rate = economy.tape["us"], economy.tape["us"].base_rate + economy.tape["us"].spread
    assert placing.cost_of_capital(economy, "us", []) == approx(0.452 * rate + 0.548 * operator.params.equity_cost)
    assert placing.usual_debt(economy_of(TWO), "us") == market.advance_mezzanine


def test_a_loan_on_chips_is_offered_as_a_share_of_all_that_sponsors_pay():
    """Banks lend 0.7 of chips that are 0.6 of cost, 0.42: a room of 1 builds 2.38, whether or not landlords pay a fifth of it."""
    apart = [ON, "sim.markets.parts.us.loans=equipment", "sim.books.channels.us.open=[abs,private,bank]"]
    economy = economy_of(*apart, "sim.books.channels.us.terms=own")
    economy.rates["us"][:] = 0.7
    economy.publish("us", own_share=1.0)
    bank = next(offer for offer in placing.offers(economy, "us") if offer.channel == "bank")
    room = placing.room(economy, "us")[2]
    assert (bank.debt, bank.room) == approx((0.42, room / 0.42))
    economy.publish("us", own_share=0.8)
    bank = next(offer for offer in placing.offers(economy, "us") if offer.channel == "bank")
    assert (bank.debt, bank.room) == approx((0.7 * 0.75, room / 0.42))


@mark.parametrize("backing", [WHOLE, CHIPS, SITE])
def test_a_take_out_lends_on_what_backs_its_channel_whatever_backed_the_loan(backing):
    """On a site its value alone and what landlords would ask; on chips the contracts' premium, and rents less those of the site."""
    economy = economy_of(ON, f"sim.markets.parts.us.take_outs={parts.BACKINGS[backing]}")
    row, gpus = economy.rows("us", OPERATING)[-1:], economy.fleet.deals["gpus"]
    economy.deals["housed"][row], economy.deals["backing"][row] = 0.1 * economy.fleet.deals["cost"][row], CHIPS
    economy.contracts["rent"][row] *= 2.0
    channel = np.flatnonzero([c.name == "data_centre_abs" for c in economy.menus["us"]])[0]
    own = pledging.backings(economy, "us")[[channel]]
    assert own.tolist() == [backing]
    value, rent = refinancing._let_value(economy, "us", row, own), refinancing._net_rent(economy, "us", row, own)
    whole = np.array([WHOLE])
    site, asked = site_values(economy, row), own_site_rents(economy, row)
    if backing == SITE:
        assert value == approx(site) and rent == approx(asked)
    else:
        all_rent = refinancing._net_rent(economy, "us", row, whole)
        assert value > gpus[row] * used_value(economy, "us", row, 0.0, 7.0, own)
        assert rent == approx(all_rent - (asked if backing == CHIPS else 0.0))
    fresh = dealing.replace(
        economy,
        "us",
        row,
        np.array([[1e3, 0.0]]),
        np.zeros((1, 2)),
        kind=economy.deals.kind(0, np.array([channel])),
        channel=np.array([channel]),
        agency=0,
        backing=own,
        shares=dealing.holders(economy, "us", None, 1),
    )
    pledge = parts.pledged(own, 0.6, 1.0) * economy.fleet.deals["cost"][row]
    assert economy.deals["state"]["pool"][fresh] == approx(pledge)
    assert economy.deals["housed"][fresh] == economy.deals["housed"][row]
    seen = package(economy, "us", fresh)
    economy.deals["backing"][row] = backing
    was = package(economy, "us", row)
    assert (seen.cost[0, :3] == was.cost[0, :3]).all() and (seen.value[0, :3] == was.value[0, :3]).all()


def test_take_outs_have_their_channels_backing(monkeypatch):
    """Whole units back the first loans, their equipment what takes them out."""
    economy = economy_of(ON, "sim.markets.parts.us.take_outs=equipment")
    monkeypatch.setattr(refinancing, "_cheaper", lambda _economy, _region, rows, *_: np.ones(len(rows), dtype=bool))
    refinancing.take_out(economy, "us")
    deals = economy.deals
    out = np.array([channel.use == "take_out" for channel in economy.menus["us"]])[deals["channel"]]
    assert out.any() and (deals["backing"] == np.where(out, CHIPS, WHOLE)).all()


def test_new_deals_pool_is_what_backs_them():
    economy = economy_of("scenario=separate_parts", "agents.operators.least=0")
    for _ in range(6):
        economy.step()
    deals, rows = economy.deals, economy.rows("us", BUILDING)
    rows = rows[(deals["issued"][rows] >= 0) & (deals["predecessor"][rows] < 0)]
    pledge = np.choose(deals["backing"][rows], [1.0, 0.6, 0.4])
    assert len(set(pledge)) == 3 and deals["state"]["pool"][rows] == approx(pledge * deals["budget"][rows])


def test_a_deal_on_a_site_matures_with_its_units_whatever_its_term():
    economy = economy_of(ON)
    row = economy.rows("us", OPERATING)[-1]
    economy.fleet.deals["vintage"][row] = BEFORE - 84
    assert row not in refinancing._maturing(economy, "us")
    economy.deals["backing"][row] = SITE
    assert row in refinancing._maturing(economy, "us")


def test_what_matures_is_lent_at_the_rate_of_its_own_channel(monkeypatch):
    """Two deals alike but for their channels, one at 0.6 and one at 0.75 of what backs them: 0.8 of the other."""
    economy, found = economy_of(TWO), []
    rows = economy.rows("us", OPERATING)[-2:]
    economy.deals["channel"][rows], economy.fleet.deals["gpus"][rows] = [0, 1], 1.0
    for name, value in {
        "_maturing": lambda *_: rows,
        "owed_by": lambda *_: np.full(2, 1e9),
        "used_value": lambda *_: np.full(2, 1e9),
        "advances": lambda *_: np.array([[0.6, 0.6], [0.75, 0.75]]),
        "_roll": lambda _economy, _region, _old, lent: found.extend(lent.tolist()),
    }.items():
        monkeypatch.setattr(refinancing, name, value)
    for operator in economy.all("operator", "us"):
        economy.ledger.provide("income", operator.party, 1e12)
    refinancing.refinance(economy, "us")
    assert found[0] / found[1] == approx(0.8)


def test_shares_are_sold_for_what_neither_lenders_nor_landlords_pay(monkeypatch):
    """Lenders leave 0.3 of what sponsors pay; where landlords pay a fifth, 0.24 of cost."""
    economy, found = economy_of(TWO, "agents.operators.courting=6"), []
    economy.publish("us", own_share=0.8, advance_mezzanine=0.7)
    economy.entry_rent["us"] = economy.tape["us"].rent
    monkeypatch.setattr(Operator, "outside", lambda _self, _value, own, _cash: found.append(own) or 0.0)
    building._plan_operators(economy, "us")
    assert found == approx([0.24] * len(economy.all("operator", "us")))


def test_private_equity_counts_debt_by_the_parts_that_back_it(monkeypatch):
    """A tenth of deals on sites, 0.4 of cost, at 0.5; the rest on chips, 0.6 of cost, at 0.8: 0.452 of all."""
    economy, found = economy_of("scenario=separate_parts", TWO, "sim.books.channels.us.terms=own"), []
    economy.publish("us", abs_share=0.1)
    economy.rates["us"][:] = [[0.5, 0.5], [0.8, 0.8]]
    monkeypatch.setattr(Operator, "worth_to_outsiders", lambda _self, _market, _rent, debt, _required: found.append(debt) or 0.0)
    issuing.invite(economy, "us", economy.all("operator", "us")[0], {"abs": 1.0, "private": 1.0})
    assert found == approx([0.452])


def test_what_landlords_pay_takes_up_none_of_a_channels_room():
    """Where they pay a fifth, banks that have room for 1 lend all of it, 0.7 of the 0.8 that sponsors pay, to deals of 1.79."""
    economy = economy_of(*BANKS)
    economy.publish("us", own_share=0.8)
    economy.rates["us"][:] = 0.7
    for operator in economy.all("operator", "us"):
        operator.ready["bank"] = 1e12
        economy.ledger.provide("income", operator.party, 1e13)
    wanted, share = issuing._funded_share(economy, "us", np.full(3, 0.7), np.full(3, 0.8 * 0.3))
    cost = np.nansum(wanted[:, 2] * share[:, 2])
    assert 0.8 * 0.7 * cost == approx(placing.room(economy, "us")[2]) and cost > 0.0


def test_investors_expect_notes_on_what_operators_pay_alone():
    """A fifth is the landlords': of 100 bn a month, 0.7 of 80 is asked for; where cash is short it is all that counts."""
    economy = economy_of(TWO, "agents.operators.closing=1")
    operator, month = economy.all("operator", "us")[0], 0
    operator.plans = {channel: [0.0] * 12 for channel in operator.plans}
    operator.ready = {"abs": 40e9, "private": 60e9}
    assert operator.expects(month, 1e18, 0.7) == approx(70e9) and operator.expects(month, 1e18, 0.7, own=0.8) == approx(56e9)
    assert operator.expects(month, 1e18, 0.7, ["private"], 0.8) == approx(22.4e9)
    assert operator.expects(month, 10.0, 0.7) == operator.expects(month, 10.0, 0.7, own=0.8) > 0.0
    before = pricing.requested(economy, "us")
    economy.publish("us", own_share=0.5)
    assert 0.0 < pricing.requested(economy, "us") < before


def test_what_rolls_a_site_over_costs_the_markets_price_and_is_guaranteed_by_nobody():
    params = resolve([])
    spv = next(c for c in params.sim.books.channels.us.catalogue if c.name == "spv")
    first = channel_template(spv, 75, 76)
    again = roll_over(first, 24)
    assert (first.follows, first.premium, float(first.terms["guarantee_strike"][0])) == (0.25, 0.02, 0.5)
    assert (again.follows, again.premium, float(again.terms["guarantee_strike"][0])) == (1.0, 0.0, 0.0)


def test_channels_of_one_template_backed_apart_are_sized_apart():
    """One file says how both are repaid, but a site ages less and earns another rent than its chips."""
    same = ("sim.books.deals.us.abs=gpu_term_loan_ig", "sim.books.deals.us.private=gpu_term_loan_ig", TWO)
    apart = economy_of(ON, *same, "sim.markets.parts.us.abs=site", "sim.markets.parts.us.private=equipment")
    alike = economy_of(ON, *same)
    for economy in (apart, alike):
        economy.step()
    assert (apart.sized["us"][:, 0] != apart.sized["us"][:, 1]).any() and (alike.sized["us"][:, 0] == alike.sized["us"][:, 1]).all()
