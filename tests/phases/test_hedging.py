"""Protection: what it costs, who buys it, what is paid, and what is left when its seller fails."""

import math
from statistics import NormalDist

import numpy as np
from pytest import approx, fixture, mark

from sim.books.deals import OPERATING
from sim.books.ledger import ACCOUNT
from sim.compose import resolve
from sim.markets import protection as market
from sim.phases import hedging, pricing, renting
from tests.phases.economies import economy_of

ON = "sim.markets.protection.most=0.8"


@fixture(scope="module")
def terms() -> market.Params:
    found: market.Params = resolve([ON]).sim.markets.protection
    return found


@fixture
def traded():
    """A small economy whose sellers have been founded and have nothing to stand for yet."""
    economy = economy_of(ON)
    economy.clock = economy.burn_in
    hedging._found(economy, "us", hedging._debts(economy, "us"))
    return economy, economy.protection["us"]


def bare(economy) -> None:
    """Take what sellers have, but for the cent that rounding leaves."""
    for party in economy.protection["us"].sellers.tolist():
        economy.ledger.pay("payout", party, economy.outside["savers", "us"], float(economy.ledger.cash(party)))


# -- prices --------------------------------------------------------------------------------------------------------------


@mark.parametrize(("assets", "debt", "volatility"), [(100.0, 90.0, 0.25), (100.0, 20.0, 0.45), (50.0, 100.0, 0.3)])
def test_the_chance_of_default_is_that_of_a_value_that_meets_a_barrier_nobody_knows(terms, assets, debt, volatility):
    """Finger et al. (2002), equation 2.13, written out for one issuer."""
    cdf, noise = NormalDist().cdf, terms.barrier_noise
    d = assets * math.exp(noise**2) / (terms.barrier * debt)
    a = math.sqrt(volatility**2 * terms.tenor + noise**2)
    alive = cdf(-a / 2 + math.log(d) / a) - d * cdf(-a / 2 - math.log(d) / a)
    (found,) = market.default_chance(terms, np.array([assets]), np.array([debt]), np.array([volatility]))
    assert found == approx(-math.log(alive) / terms.tenor, rel=1e-9)


def test_default_is_sure_without_assets_and_impossible_without_debt(terms):
    chance = market.default_chance(terms, np.array([0.0, 1.0, 1e9]), np.array([1e9, 0.0, 1.0]), np.full(3, 0.2))
    assert chance == approx([1.0, 0.0, 0.0], abs=1e-12)


def test_a_charge_for_risk_weighs_most_on_the_best_issuers():
    """At 1 % the risk is ten times the expected loss, at 25 % less than twice: a scare multiplies cheap protection most."""
    hazard = market.Hazard(np.array([0.01, 0.25]), np.array([0.6, 0.6]))
    calm, scared = (hazard.premium + charge * hazard.risk for charge in (0.02, 0.2))
    assert scared / calm == approx([(1.0 + 0.2 * 99**0.5) / (1.0 + 0.02 * 99**0.5), (1.0 + 0.2 * 3**0.5) / (1.0 + 0.02 * 3**0.5)])


@mark.parametrize("junior", [0.0, 0.1, 0.5])
def test_what_is_lost_falls_on_the_junior_class_first(terms, junior):
    """0.6 of all in default: all of a junior class of a tenth, and 0.5 / 0.9 of the rest."""
    senior, first = market.severities(terms, junior)
    assert senior * (1.0 - junior) + first * junior == approx(0.6)
    assert first == 1.0


def test_a_junior_class_beyond_what_is_lost_bears_all_of_it(terms):
    assert market.severities(terms, 0.75) == approx((0.0, 0.8))


def test_expected_loss_and_risk_follow_from_chance_and_severity():
    hazard = market.Hazard(np.array([0.1]), np.array([0.6]))
    assert hazard.premium == approx([0.06]) and hazard.risk == approx([0.6 * 0.3])


def test_operators_are_worth_more_with_contracts_above_spot_and_less_with_a_pipeline_to_come():
    """Contracts count for what they bring above spot to their end; units for the rents that are expected, not for today's."""
    economy = economy_of()
    before, rows = hedging._assets(economy, "us", hedging._unit_values(economy, "us")), economy.rows("us", OPERATING)
    contract, units = economy.contracts, economy.fleet.deals
    rent = float(economy.tape["us"].rent)
    contract["rent"][rows[0]] += 10.0 * rent
    more = hedging._assets(economy, "us", hedging._unit_values(economy, "us")) - before
    cover = economy.params.sim.markets.compute.cover
    kept = np.clip(contract["rent"][rows[0]] - renting.spot(economy, "us", units["vintage"][rows[:1]])[0], 0.0, 10.0 * rent)
    assert more.sum() == approx(units["gpus"][rows[0]] * cover * kept * contract["months"][rows[0]] / 12.0)
    values = hedging._unit_values(economy, "us")
    economy.publish("us", expected_rent=0.5 * rent, rent=2.0 * rent)
    assert (hedging._unit_values(economy, "us")[-60:] < values[-60:]).all()


def test_the_weakest_cloud_is_the_one_whose_protection_is_quoted():
    economy = economy_of("agents.clouds.count=3")
    alone = hedging._weakest(economy, "us", hedging._unit_values(economy, "us")).chance[0]
    clouds = economy.parties("cloud", "us")
    economy.ledger.accrue("bonds", clouds[1], economy.outside["savers", "us"], 1e11)
    assert hedging._weakest(economy, "us", hedging._unit_values(economy, "us")).chance[0] > alone
    economy.ledger.accrue("bonds", clouds[1], economy.outside["savers", "us"], -1e11)
    assert hedging._weakest(economy, "us", hedging._unit_values(economy, "us")).chance[0] == approx(alone)


# -- demand and supply ---------------------------------------------------------------------------------------------------


@mark.parametrize(("own", "cost"), [(0.05, 0.01), (0.05, 0.03), (0.05, 0.06), (0.05, 0.001)])
def test_investors_protect_what_a_mean_variance_investor_would(terms, own, cost):
    """Least of cost times what is protected and half of the price of risk times the square of what is not, on a grid."""
    shares = np.linspace(0.0, terms.most, 8001)
    best = shares[np.argmin(cost * shares + 0.5 * own * (1.0 - shares) ** 2)]
    assert market.protected(terms, np.array([own]), cost)[0] == approx(best, abs=1e-4)


def test_a_price_of_risk_bid_with_protection_is_undone():
    """What is bid at half protected is a quarter of the whole: 0.01 * 4 * 300 / 100."""
    own = market.own_price(np.array([0.01, 0.01]), np.array([0.5, 0.0]), np.array([300.0, 300.0]), np.array([100.0, 0.0]))
    assert own[0] == approx(0.12) and own[1] == np.inf


def test_the_charge_for_risk_clears_what_is_wanted_against_what_sellers_stand_for(terms):
    own, held = np.array([0.03, 0.06]), np.array([200.0, 100.0])
    charge = market.clearing_charge(terms, own, held, 0.15, capital=10.0, price=0.06, most=10.0)
    wanted = float((market.protected(terms, own, charge * 0.15) * held).sum()) * 0.15
    assert charge > 0.0 and wanted == approx(10.0 * charge / 0.06)


def test_sellers_stand_for_no_more_than_their_limit_and_the_charge_rises_until_that_is_enough(terms):
    own, held = np.array([0.03, 0.06]), np.array([200.0, 100.0])
    charge = market.clearing_charge(terms, own, held, 0.15, capital=10.0, price=0.06, most=0.5)
    wanted = float((market.protected(terms, own, charge * 0.15) * held).sum()) * 0.15
    assert wanted == approx(5.0) and charge > 0.5 * 0.06


def test_the_charge_rises_as_far_as_it_must(terms):
    """With next to no capital only a charge near what risk costs its bearer, 10 / 0.15, leaves nothing to protect."""
    charge = market.clearing_charge(terms, np.array([10.0]), np.array([1.0]), 0.15, capital=1e-9, price=0.06, most=0.5)
    assert charge == approx(10.0 / 0.15, rel=1e-6)


def test_where_nothing_is_held_nothing_is_charged(terms):
    assert market.clearing_charge(terms, np.zeros(2), np.zeros(2), 0.15, 10.0, 0.06, 10.0) == approx(0.0, abs=1e-12)


# -- contracts -----------------------------------------------------------------------------------------------------------


def position(book, **cells: float) -> np.ndarray:
    """Amounts (i, d, r): ``position(book, i0_d1_r2=5.0)``."""
    found = np.zeros(book.notional.shape[1:])
    for name, amount in cells.items():
        found[tuple(int(part[1:]) for part in name.split("_"))] = amount
    return found


def test_protection_sold_back_leaves_a_gain_and_no_exposure(traded):
    """120 bought at 2 % and sold at 5 %: nothing net of 240 in gross; 3.6 a year, 0.3 a month, from the seller."""
    _, book = traded
    quote = np.full(book.notional.shape[3], 0.02)
    book.trade(position(book, i0_d0_r0=120.0), quote)
    book.trade(position(book, i0_d0_r0=-120.0), quote + 0.03)
    assert not book.net.any() and book.notional.sum() == approx(240.0)
    assert book.due()[0, 0] == approx(-0.3)
    assert book.worth(quote, 4.0)[0, 0] == approx(4.0 * 3.6) == book.worth(quote + 1.0, 4.0)[0, 0]


def test_contracts_are_worth_what_their_like_cost_now_and_one_sides_gain_is_the_others_loss(traded):
    """100 at 2 %, now at 6 %, for four years: 16."""
    economy, book = traded
    quote = np.full(book.notional.shape[3], 0.02)
    book.trade(position(book, i0_d1_r0=100.0), quote)
    before = economy.ledger.net_worth(book.investors[0]), economy.ledger.net_worth(book.sellers[1])
    book.mark(quote * 3.0, 4.0)
    assert economy.ledger.net_worth(book.investors[0]) - before[0] == approx(16.0, abs=1e-4)
    assert economy.ledger.net_worth(book.sellers[1]) - before[1] == approx(-16.0, abs=1e-4)
    assert book.gaps() == approx(0.0, abs=1e-9)
    book.mark(quote, 4.0)
    assert economy.ledger.balance(book.sellers[1], "claims") == approx(0.0, abs=1e-9)


def test_a_failed_sellers_pairs_settle_net_and_share_what_it_has(traded):
    """The first investor is owed 100 - 40, the second owes 20, the third is owed 20: 10 of cash and the 20 pay 30 of 80."""
    economy, book = traded
    bare(economy)
    economy.ledger.endow_cash(book.sellers[:1], np.array([10.0]))
    economy.save(int(book.investors[1]), "us", 1e4)
    book.premium[0] = position(book, i0_d0_r1=10.0, i1_d0_r0=5.0)
    book.notional[0] = position(book, i0_d0_r0=100.0, i2_d0_r0=20.0)
    book.mark(np.where(np.arange(book.notional.shape[3]) == 0, 0.25, 0.0), 4.0)
    assert book.value[:3, 0] == approx([60.0, -20.0, 20.0])
    cash = economy.ledger.cash(book.investors[:3])
    assert book.close_out(0) == approx(50.0)
    assert economy.ledger.cash(book.investors[:3]) - cash == approx([22.5, -20.0, 7.5], abs=1e-6)
    assert not book.value.any() and not book.notional.any() and book.gaps() == approx(0.0, abs=1e-9)
    assert economy.ledger.balance(book.sellers[0], "claims") == approx(0.0, abs=1e-9)


def lose(economy, share: float) -> int:
    """The first operator's deals have lost a share of their senior notes; its place."""
    deals, operator = economy.deals, economy.all("operator", "us")[0]
    rows = np.flatnonzero(deals["sponsor"] == operator.party)
    deals["lost"][rows, 0] += share * deals["state"]["balance"][rows, 0]
    deals["state"]["balance"][rows, 0] *= 1.0 - share
    return 0


@mark.parametrize(("cash", "part"), [(1_000.0, 1.0), (11.0, 0.25)])
def test_losses_are_paid_by_the_seller_as_far_as_it_can_and_the_rest_is_its_debt(traded, cash, part):
    """A tenth of 400 is lost, and 12 a year are due: 40 from the seller, 1 to it; of 10 + 1 it pays 11 of 40, or all."""
    economy, book = traded
    bare(economy)
    economy.ledger.endow_cash(book.sellers[:1], np.array([cash - 1.0]))
    economy.save(int(book.investors[0]), "us", 1e4)
    book.trade(position(book, i0_d0_r0=400.0), np.full(book.notional.shape[3], 0.03))
    lose(economy, 0.1)
    earned, held = economy.earned.copy(), float(economy.ledger.cash(book.investors[0]))
    hedging._settle(economy, "us")
    paid = 40.0 if part == 1.0 else 11.0
    assert economy.facts["us"]["protection_paid"] == approx(paid) and economy.facts["us"]["premiums"] == approx(1.0)
    assert float(economy.ledger.cash(book.investors[0])) - held == approx(paid - 1.0, abs=1e-5)
    assert (economy.earned - earned).sum() == approx(paid - 1.0)
    assert book.unpaid[0, 0] == approx(40.0 - paid, abs=1e-6)
    assert book.net[0, 0, 0] == approx(360.0 * (1.0 - 1.0 / 60.0))  # what was not lost, a sixtieth of it run off
    assert book.net_premium[0, 0, 0] == approx(0.03 * book.net[0, 0, 0])
    book.mark(np.full(book.notional.shape[3], 0.03), 4.0)
    assert book.value[0, 0] == approx(40.0 - paid, abs=1e-6)  # at what it costs now it is worth nothing but what is unpaid
    hedging._settle(economy, "us")
    assert economy.facts["us"]["protection_paid"] == approx(paid)  # a loss is paid once


def test_a_seller_that_owes_more_than_it_has_fails_and_protection_is_void(traded):
    economy, book = traded
    bare(economy)
    quote = np.full(book.notional.shape[3], 0.03)
    book.trade(position(book, i0_d0_r0=400.0, i1_d1_r0=400.0), quote)
    economy.ledger.endow_cash(book.sellers[1:2], np.array([1_000.0]))
    book.mark(quote * 2.0, 4.0)  # 48 each
    hedging._judge(economy, "us", hedging._debts(economy, "us"))
    assert economy.facts["us"]["seller_failures"] == 1.0 and economy.facts["us"]["protection_lost"] == approx(48.0, abs=0.1)
    assert not book.net[:, 0].any() and book.net[1, 1, 0] == 400.0
    assert economy.owners.held.get(int(book.sellers[0])) is None
    hedging._judge(economy, "us", hedging._debts(economy, "us"))
    assert economy.facts["us"]["seller_failures"] == 1.0  # one without contracts has nothing to fail of
    assert economy.ledger.cash(book.sellers[0]) > 0.0  # and finds new owners


def test_investors_bid_as_if_they_held_only_what_is_not_protected(traded):
    """Half of an investor's notes protected: its price of risk is a quarter; it expects half of its losses, and the premium."""
    economy, book = traded
    exposure = economy.deals.exposure(0)
    economy.facts["us"]["loss"] = 0.0
    memory, rate = [a.mind().copy() for a in economy.all("investor", "us")], economy.tape["us"].loss_rate
    pricing._bids(economy, "us", exposure, 0.0)
    alone = economy.bids["us"]
    held = float(exposure[:, economy.slots("us")][:, 0].sum())
    book.trade(position(book, i0_d0_r0=held / 2.0), np.full(book.notional.shape[3], 0.04))
    for agent, mind in zip(economy.all("investor", "us"), memory, strict=True):
        vars(agent).update(mind)
    economy.publish("us", loss_rate=rate)
    pricing._bids(economy, "us", exposure, 0.0)
    now = economy.bids["us"]
    assert now.price_of_risk[0] / alone.price_of_risk[0] == approx(0.25)
    assert now.loss_belief[0] == approx(0.5 * alone.loss_belief[0] + 0.5 * 0.04)
    assert now.price_of_risk[1] == approx(alone.price_of_risk[1])


# -- the whole -----------------------------------------------------------------------------------------------------------


def test_protection_runs_through_a_scare_and_a_sellers_failure_with_balanced_books():
    """Two years; in the second a seller is robbed of its cash. Flows are what is recorded; nobody is left with a claim on it."""
    economy = economy_of(ON)
    for month in range(24):
        if month == 15:
            party = int(economy.protection["us"].sellers[0])
            economy.ledger.pay("payout", party, economy.outside["savers", "us"], float(economy.ledger.cash(party)))
        economy.step()
    record, flows = (economy.recorder.table(name).to_pandas() for name in ("monthly", "flows"))
    received = flows[(flows["flow"] == "premium") & (flows["payer"] == "investor")]["usd"].sum()
    assert record["premiums"].sum() == approx(received) and received > 0.0
    assert record["seller_failures"].sum() >= 1.0 and record["protection"].max() > 0.1 * record["debt"].max()
    assert (record["protection"] <= record["protection_gross"] * (1 + 1e-12)).all()
    assert (record[["protection_grade", "protection_operators", "protection_junior"]] > 0.0).all(axis=None)
    assert economy.ledger.balances[:, ACCOUNT["claims"]].sum() == approx(0.0, abs=1e-3)
    assert (record["protection_junior"] > record["protection_operators"]).all()


def test_where_nobody_protects_it_is_quoted_at_expected_loss_and_no_money_moves():
    economy = economy_of()
    economy.step()
    record, flows = (economy.recorder.table(name).to_pandas() for name in ("monthly", "flows"))
    assert not economy.all("seller", "us") and not set(flows["flow"]) & {"premium", "protection", "protection_closed"}
    assert record["protection"].iloc[0] == 0.0 and 0.0 < record["protection_grade"].iloc[0] < record["protection_operators"].iloc[0]


def test_what_labs_borrow_on_pledges_is_no_debt_of_operators():
    """Two systems at once: half a year of both, in which labs owe notes that no reference of protection counts."""
    economy = economy_of(ON, "scenario=labs_borrow")
    for _ in range(8):
        economy.step()
    rows, labs = economy.rows("us"), economy.parties("lab", "us")
    owed = economy.deals["state"]["balance"][rows].sum(axis=1)
    theirs = np.isin(economy.deals["sponsor"][rows], labs)
    assert owed[theirs].sum() > 0.0 and hedging._debts(economy, "us").sum() == approx(owed[~theirs].sum())
