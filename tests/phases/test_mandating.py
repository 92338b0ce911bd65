"""Agencies compete, cater, are paid and answer for their letters; what else these could have been is kept."""

import math
from typing import Any

import numpy as np
from pytest import approx, fixture, mark

from sim import grants, ratings
from sim.books.deals import BUILDING, OPERATING
from sim.compose import resolve
from sim.markets import mandates as market
from sim.phases import disclosing, mandating, rating, refinancing, shopping, structuring
from sim.phases.structuring import QUARTER
from sim.structuring import structure
from tests.phases.economies import economy_of

ON = "scenario=rating_shopping"


def listed(agencies: list[dict[str, Any]]) -> str:
    """Agencies as an override."""
    rows = ["{" + ",".join(f"{name}:{value}" for name, value in agency.items()) + "}" for agency in agencies]
    return f"sim.ratings.agencies=[{','.join(rows)}]"


@fixture(scope="module")
def competing():
    """A small economy after half a year of competition; read-only."""
    economy = economy_of(ON)
    for _ in range(6):
        economy.step()
    return economy


# -- looseness -----------------------------------------------------------------------------------------------------------


@mark.parametrize("notches", [0, 1, 2, 5])
def test_a_table_some_notches_easier_gives_letters_as_many_notches_better(notches):
    """Aaa stays Aaa; what the table has no letter for gets the last, and better ones with looseness."""
    p = resolve([]).sim.ratings
    loss, life = np.geomspace(1e-7, 0.99, 200), np.linspace(1.0, 10.0, 200)
    strict = ratings.letters_by_loss(p, loss, life)
    assert (ratings.letters_by_loss(ratings.loosened(p, float(notches)), loss, life) == np.maximum(strict - notches, 0)).all()


def test_half_a_notch_takes_the_half_of_losses_that_are_nearest_in_logs():
    """Between the last A3 and the last Baa1 at three years, 0.00198 and 0.00308: the border of A3 moves to their geometric mean."""
    p = resolve([]).sim.ratings
    border = math.sqrt(0.00198 * 0.00308)
    found = ratings.letters_by_loss(ratings.loosened(p, 0.5), np.array([0.999, 1.001]) * border, np.array([3.0, 3.0]))
    assert [ratings.LETTERS[place] for place in found] == ["A3", "Baa1"]


def test_an_agency_loosens_while_it_has_less_than_its_part_and_no_further_than_it_may():
    economy = economy_of(ON)
    agency, p = economy.all("agency", "us")[0], economy.params.agents.agencies
    agency.cater(0.0, 1 / 3, 0.0)
    assert agency.looseness == approx(p.loosening / 3.0)
    agency.cater(1.0, 1 / 3, -1.0)
    assert agency.looseness == approx(p.loosening / 3.0)  # neither winning nor upgrades loosen or tighten it
    for _ in range(100):
        agency.cater(0.0, 1 / 3, 0.0)
    assert agency.looseness == p.loosest


def test_fallen_letters_tighten_an_agency_down_to_its_model_and_cost_it_trust_for_a_while():
    """A tenth of a notch in a month is 1.2 a year, of which 4 % are remembered at once, and 4 % of that forgotten a month later."""
    economy = economy_of(ON)
    agency = economy.all("agency", "us")[0]
    agency.looseness = 0.5
    agency.cater(1.0, 1 / 3, 0.1)
    assert agency.looseness == approx(0.4) and agency.lost == approx(0.048)
    agency.cater(1.0, 1 / 3, 0.0)
    assert agency.lost == approx(0.048 * 0.96)
    agency.cater(1.0, 1 / 3, 5.0)
    assert agency.looseness == 0.0


# -- mandates ------------------------------------------------------------------------------------------------------------


def test_deals_are_as_large_as_chosen_offers_allow_on_average(competing):
    """By hand for one letter of three: sizes weighed by the odds of what they bring."""
    p, sizes = competing.params.sim.markets.mandates, competing.sized["us"]
    asks = shopping.premiums(competing, "us")
    odds = np.exp(p.eagerness * sizes[:, :, 1] * (1.0 - p.years * asks)[:, None])
    wanted = (odds[:, :, None] * sizes).sum(axis=0) / odds.sum(axis=0)[:, None]
    assert shopping.expected(competing, "us") == approx(wanted)
    assert np.ptp(sizes[:, 0, 1]) > 0.01  # agencies differ, or nothing was weighed


def test_of_two_letters_the_smaller_size_counts():
    economy = economy_of(ON, "sim.markets.mandates.letters=2", "sim.markets.mandates.asked=2", "sim.markets.mandates.eagerness=0")
    economy.sized["us"] = np.array([[[0.5, 0.8], [0.5, 0.5]], [[0.4, 0.9], [0.5, 0.6]], [[0.3, 0.7], [0.5, 0.7]]])
    third = (np.array([0.4, 0.8]) + np.array([0.3, 0.7]) + np.array([0.3, 0.7])) / 3.0
    assert shopping.expected(economy, "us")[0] == approx(third)


def test_mandates_are_drawn_by_their_chances(competing):
    """Three thousand deals of one channel, each of a sponsor of its own: shares within three standard errors."""
    found, chance = shopping.chances(competing, "us")
    names = competing.ledger.name
    competing.ledger.name = lambda party: f"sponsor {party}"
    try:
        drawn = shopping.engage(competing, "us", np.arange(3000), np.zeros(3000, dtype=np.int64))
    finally:
        competing.ledger.name = names
    wanted = [sum(c for c, (_, order) in zip(chance[:, 0], found, strict=True) if order[0] == a) for a in range(3)]
    shares = np.bincount(drawn["agency"], minlength=3) / 3000
    assert np.abs(shares - wanted).max() < 3.0 * math.sqrt(0.25 / 3000)
    assert (drawn["asked"] == 0b111).all() and not drawn["second"].any()


def test_with_one_agency_nobody_shops_and_nobody_caters():
    economy = economy_of("scenario=one_agency")
    for _ in range(6):
        economy.step()
    (agency,) = economy.all("agency", "us")
    assert agency.looseness == 0.0 and agency.mandates == 1.0
    assert (shopping.expected(economy, "us") == economy.sized["us"][0]).all()
    record, deals = economy.recorder.table("monthly").to_pandas(), economy.deals
    assert (record["catering"].dropna() == 0.0).all() and (record["missed_notches"].dropna() == 0.0).all()
    assert record["inflation"].notna().any() and (deals["granted"][:, :, 0] == deals["granted"][:, :, 2]).all()


def test_every_letter_is_paid_for_and_agencies_keep_nothing(competing):
    """Fees are the rate times notes of deals that closed with a mandate; owners of agencies have them a month later at most."""
    flows, record = (competing.recorder.table(name).to_pandas() for name in ("flows", "monthly"))
    fees = flows[flows["flow"] == "rating_fee"]
    assert set(fees["payee"]) == {"agency"} and fees["usd"].sum() == approx(record["rating_fees"].sum())
    deals, p = competing.deals, competing.params.sim.markets.mandates
    mine = (deals["asked"] > 0) & (deals["issued"] >= competing.burn_in)
    assert fees["usd"].sum() == approx(p.fee * deals["commitment"][mine].sum())
    assert competing.ledger.cash(competing.parties("agency", "us")) == approx(0.0, abs=0.01)


@mark.parametrize("letters", [1, 2])
def test_a_sponsor_pays_each_of_its_agencies_once(letters):
    economy = economy_of(ON, f"sim.markets.mandates.letters={letters}")
    deals, rows = economy.deals, economy.rows("us", OPERATING)[:1]
    deals["agency"][rows], deals["second"][rows] = 1, 3 if letters == 2 else 0
    party, sponsor = economy.parties("agency", "us"), int(deals["sponsor"][rows][0])
    before = economy.ledger.cash(party)
    mandating.pay(economy, "us", rows)
    fee = 0.0006 * deals["commitment"][rows].sum()
    assert economy.ledger.cash(party) - before == approx([0.0, fee, fee if letters == 2 else 0.0])
    assert economy.ledger.cash(sponsor) >= -0.01
    assert [economy.facts["us"].get(f"won_{a}", 0.0) for a in range(3)] == approx((economy.ledger.cash(party) - before) / 0.0006)


def test_coupons_carry_what_investors_ask_for_letters():
    """Two agencies, one of which has lost two notches a year: 0.4 % alone, 0.2 % for a deal with a letter of each."""
    economy = economy_of(ON, "sim.markets.mandates.letters=2")
    economy.all("agency", "us")[1].lost = 2.0
    rows = economy.rows("us", OPERATING)[:3]
    economy.deals["agency"][rows], economy.deals["second"][rows] = [1, 0, 0], [0, 2, 3]
    assert mandating.distrust(economy, "us", rows) == approx([0.004, 0.002, 0.0])


# -- letters -------------------------------------------------------------------------------------------------------------


def test_letters_without_looseness_and_with_equal_beliefs_are_the_models_whoever_gives_them():
    """Three agencies that are one but for their names, and have no opinion of their own."""
    (north, *_) = resolve([ON]).model_dump()["sim"]["ratings"]["agencies"]
    agencies = listed([{**north, "name": name} for name in ("north", "south", "east")])
    economy = economy_of(ON, agencies, "agents.agencies.noise=0", "agents.agencies.loosening=0")
    for _ in range(5):
        economy.step()
    kept = economy.deals["granted"][economy.deals["granted"][:, 0, 0] > 0][:, :, :3]
    assert (kept == kept[:, :, :1]).all() and len(np.unique(kept)) > 3  # all alike, and not all Aaa
    assert len(np.unique(economy.deals["agency"][economy.deals["asked"] > 0])) == 3


def test_published_letters_lie_between_the_best_and_the_model_of_their_agency(competing):
    """The best is no worse than the letter, the model no better; looseness moved some, and some found no laxer agency."""
    kept = competing.deals["granted"][(competing.deals["granted"][:, 0, 0] > 0)].astype(int)
    letter, model, best, _ = np.moveaxis(kept, -1, 0)
    assert (best <= letter).all() and (letter <= model).all()
    assert (letter < model).any() and (best < letter).any() and (best == letter).any()


def test_first_letters_are_found_by_the_engine_under_each_agencys_beliefs_and_table(competing):
    """Each new deal alone: its agency's estimates through its loosened table, its plain one, and those of perfect knowledge."""
    economy, loose = competing.fork(), (1.0, 0.0, 3.0)
    for agency, notches in zip(economy.all("agency", "us"), loose, strict=True):
        agency.looseness = notches
    beliefs, p, labs = rating._opine(economy, "us"), economy.params.sim.ratings, rating.tenants(economy, "us")
    rows = economy.rows("us", BUILDING)[-4:]
    economy.deals["rating"][rows], economy.deals["second"][rows] = -1, 0
    economy.deals["agency"][rows], economy.deals["second"][rows[3]] = [0, 1, 2, 2], 2
    economy.deals["asked"][rows] = [0b111, 0b011, 0b100, 0b110]
    rating._letters(economy, [rating._ask(economy, "us", rating._due(economy, "us", False), beliefs, labs)], {"us": beliefs})
    for row, own, asked in zip(rows, ([0], [1], [2], [2, 1]), ([0, 1, 2], [0, 1], [2], [1, 2]), strict=True):
        known = [*beliefs, mandating.true_beliefs(economy, "us")]
        every = [rating._look(economy, "us", np.array([row]), np.zeros(1, int), [belief]) for belief in known]
        lax = [ratings.letters_by_loss(ratings.loosened(p, n), *of)[0] for n, of in zip(loose, every[:3], strict=True)]
        plain = [ratings.letters_by_loss(p, *of)[0] for of in every]
        wanted = [np.max([at[a] for a in own], axis=0) for at in (lax, plain)]
        wanted += [np.min([lax[a] for a in asked], axis=0), plain[3]]
        owed = economy.deals["rating"][row] >= 0
        assert (economy.deals["granted"][row][owed] == np.array(wanted).T[owed] + 1).all()
        assert (economy.deals["rating"][row][owed] == wanted[0][owed]).all()
    assert (lax[1] != lax[2]).any() and (plain[1] != plain[2]).any()  # the last deal's two agencies differ


def test_with_perfect_knowledge_every_letter_is_the_true_one_and_agencies_do_not_differ():
    """Also with agencies whose own views differ: the engine at the true parameters gives letters and sizes."""
    economy = economy_of(ON, "sim.markets.mandates.asked=0", "sim.markets.mandates.knowledge=perfect")
    beliefs, labs = rating._opine(economy, "us"), rating.tenants(economy, "us")
    assert len(beliefs) == 3 and set(beliefs) == {mandating.true_beliefs(economy, "us")}
    structuring.structure_new(economy, {"us": beliefs}, {"us": labs})
    assert (economy.sized["us"] == economy.sized["us"][0]).all() and economy.sized["us"].any()
    rating._letters(economy, [rating._ask(economy, "us", rating._due(economy, "us", False), beliefs, labs)], {"us": beliefs})
    kept = economy.deals["granted"][economy.deals["granted"][:, 0, 0] > 0]
    assert len(kept) and (kept == kept[:, :, :1]).all()
    assert economy.facts["us"]["inflated"] == 0.0 and economy.facts["us"]["overgranted"] == 0.0


def test_perfect_beliefs_are_todays_truth_whatever_was_learned():
    economy = economy_of("scenario=perfect_ratings")
    economy.publish("us", fire_sale=0.4, rent=2.0 * float(economy.tape["us"].rent), depreciation_seen=-1.0)
    (belief,) = rating._opine(economy, "us")
    truth, market_ = economy.params.sim.markets.mandates.truth, economy.tape["us"]
    usual = (1.0 + market_.vintage_discount) * economy.tape.frontier_growth
    assert belief.depreciation == approx(usual + math.log(market_.rent / market_.unit_cost / truth.rent) / truth.years)
    assert (belief.recovery, belief.dispersion, belief.correlation) == approx((0.6, truth.dispersion, truth.correlation))
    assert market_.depreciation_belief == approx(belief.depreciation) and market_.dispersion == approx(truth.dispersion)


# -- surveillance --------------------------------------------------------------------------------------------------------


def test_a_deal_without_trouble_is_looked_at_once_in_its_time_and_one_in_trouble_every_quarter():
    economy = economy_of(ON)
    deals, rows = economy.deals, economy.rows("us", OPERATING)
    rows = rows[deals["state"]["balance"][rows].any(axis=1)]
    deals["rating"][rows] = 5
    owed = deals["state"]["balance"][rows] > 0.0
    deals["state"]["in_default"][rows], deals["state"]["trapped"][rows] = False, False
    seen = np.zeros(len(rows), dtype=int)
    for month in range(12):
        economy.clock = month
        seen += mandating.due(economy, rows, owed, month % QUARTER == 0)
    assert len(rows) > 3 and (seen == 1).all()
    deals["state"]["trapped"][rows[0]] = True
    economy.clock = int(deals["issued"][rows[0]]) % 12 + 1
    assert mandating.due(economy, rows, owed, True)[0] and not mandating.due(economy, rows, owed, False)[0]


def test_notches_lost_are_the_agencys_of_each_letter_and_upgrades_make_up_for_them():
    """Of three deals, one with letters of two agencies: 3 notches of the first, 2 of both, one up of the third."""
    economy = economy_of(ON, "sim.markets.mandates.letters=2")
    rows = economy.rows("us", OPERATING)[:3]
    economy.deals["agency"][rows], economy.deals["second"][rows] = [0, 0, 2], [0, 2, 0]
    mandating.answer(economy, "us", rows, np.array([[3, 0], [1, 1], [-1, 0]]))
    assert [agency.fallen for agency in economy.all("agency", "us")] == [5.0, 2.0, -1.0]


def test_where_agencies_do_not_compete_no_letter_is_kept_and_nobody_is_paid():
    economy = economy_of()
    for _ in range(3):
        economy.step()
    assert not economy.deals["granted"].any() and not economy.deals["asked"].any()
    flows = economy.recorder.table("flows").to_pandas()
    assert "rating_fee" not in set(flows["flow"])
    assert economy.recorder.table("deals").num_rows == 0


def test_two_letters_and_labs_own_debts_go_together_with_balanced_books():
    """A year of both systems: labs pay for letters too, the worse letter counts, and books balance each month."""
    agencies = resolve([ON]).model_dump()["sim"]["ratings"]["agencies"]
    on = ("sim.markets.mandates.asked=3", "sim.markets.mandates.letters=2", listed(agencies))
    economy = economy_of("scenario=labs_borrow", *on)
    for _ in range(7):
        for agency in economy.all("agency", "us"):
            agency.lost = 1000.0
        economy.step()
    flows = economy.recorder.table("flows").to_pandas()
    assert set(flows[flows["flow"] == "rating_fee"]["payer"]) == {"operator", "lab"}
    theirs = np.isin(economy.deals["sponsor"], economy.parties("lab", "us"))
    assert theirs.any() and economy.deals["surcharge"][theirs] == approx(0.02)  # nobody trusts their letters
    kept = economy.deals["granted"][economy.deals["second"] > 0].astype(int)
    assert len(kept) and (kept[:, :, 2] <= kept[:, :, 0]).all()
    assert economy.residual < 1e-9 and market.outcomes(economy.params.sim.markets.mandates, 4)


def test_who_knows_the_economy_caters_to_nobody_even_where_mandates_are_lost():
    economy = economy_of(ON, "sim.markets.mandates.knowledge=perfect")
    for _ in range(4):
        economy.step()
    agencies = economy.all("agency", "us")
    assert all(agency.looseness == 0.0 for agency in agencies) and min(agency.mandates for agency in agencies) < 1 / 3
    kept = economy.deals["granted"][economy.deals["granted"][:, 0, 0] > 0]
    assert (kept == kept[:, :, :1]).all() and len(np.unique(kept)) > 3  # all four are one, and not all Aaa


def test_a_fork_goes_on_as_agencies_would_have():
    economy = economy_of(ON)
    for _ in range(3):
        economy.step()
    twin = economy.fork()
    for _ in range(3):
        economy.step()
        twin.step()
    for mine, theirs in zip(economy.all("agency", "us"), twin.all("agency", "us"), strict=True):
        assert (mine.looseness, mine.lost, mine.won, mine.mandates) == (theirs.looseness, theirs.lost, theirs.won, theirs.mandates)
    assert (economy.deals["granted"] == twin.deals["granted"]).all() and economy.deals["granted"].any()
    assert (economy.ledger.balances == twin.ledger.balances).all()


def test_an_agency_answers_by_the_letters_that_it_has_outstanding_and_is_judged_by_the_mandates_of_a_year():
    """Ten notches over its letters, once; a quarter of the notes of the months that count, not of older ones."""
    economy = economy_of(ON, "sim.markets.mandates.memory=2")
    agencies, deals = economy.all("agency", "us"), economy.deals
    rows = economy.rows("us")
    deals["agency"][rows], deals["rating"][rows] = rows % 3, 5
    owed = deals["state"]["balance"][rows] + deals["undrawn"][rows] > 0.0
    agencies[1].fallen, agencies[1].looseness = 10.0, 1.0
    for agency, won in zip(agencies, (4.0, 0.0, 0.0), strict=True):
        agency.won = [won, 1.0]
    economy.facts["us"] = {"won_1": 1.0, "won_2": 1.0}
    mandating.compete(economy, "us")
    fell = 10.0 / owed[rows % 3 == 1].sum()
    assert agencies[1].looseness == approx(1.0 - fell) and agencies[1].lost == approx(0.04 * 12.0 * fell)
    assert [agency.mandates for agency in agencies] == approx([0.2, 0.4, 0.4])
    assert agencies[0].looseness == approx(0.5 * (1 / 3 - 0.2))
    economy.facts["us"] = {}
    mandating.compete(economy, "us")
    assert agencies[1].lost == approx(0.04 * 12.0 * fell * 0.96)  # no notch is lost twice


def test_the_record_weighs_letters_by_notes_and_names_who_gave_them():
    """100 and 300 of notes; the first alone is of top grade, and should not be."""
    economy = economy_of(ON)
    rows = economy.rows("us", OPERATING)[:2]
    economy.deals["state"]["balance"][rows], economy.deals["undrawn"][rows] = [[100.0, 0.0], [300.0, 0.0]], 0.0
    letter, model, best, true = (
        np.array([[a, 0], [b, 0]]) for a, b in ((9, 13), (10, 13), (8, 12), (10, 10))
    )  # 1 and -3 over the truth
    mandating._note_grants(economy, "us", rows, letter, model, best, true)
    found = grants.region_figures(economy, "us")
    assert [found[name] for name in ("inflation", "catering", "missed_notches")] == approx([-2.0, 0.25, 1.0])
    assert (found["top_grade"], found["overgranted"]) == approx((0.25, 1.0))
    economy.deals["agency"][rows], economy.deals["second"][rows] = [1, 2], [0, 1]
    economy.deals["granted"][rows[1]] = np.array([[7, 8, 6, 9], [0, 0, 0, 0]])
    kept = grants.deal_letters(economy)
    assert [kept[name][rows[1]] for name in ("agency", "agency_second")] == ["east", "north"]
    assert [kept[f"{kind}_senior"][rows[1]] for kind in ("letter", "letter_model", "letter_best", "letter_true")] == [
        *("A3", "Baa1", "A2", "Baa2")
    ]
    assert kept["letter_mezzanine"][rows[1]] is None and kept["agency"][rows[0]] == "" and kept["letter_senior"][rows[0]] is None


def test_a_take_out_needs_letters_of_its_own_and_they_are_paid():
    """Fifteen months, recorded: deals that repay loans of others, not their balloons, have asked, and are in what was paid."""
    economy = economy_of(ON, "sim.markets.mandates.letters=2")
    for _ in range(15):
        economy.step()
    deals = economy.deals
    taken = np.flatnonzero((deals["asked"] > 0) & (deals["predecessor"] >= 0))
    paid = economy.recorder.table("monthly").to_pandas()["rating_fees"].sum()
    assert len(taken) and paid == approx(2 * 0.0006 * deals["commitment"][deals["asked"] > 0].sum())
    assert (deals["second"][deals["asked"] > 0] > 0).all()


def test_a_deal_that_is_rolled_over_keeps_its_agencies():
    economy = economy_of(ON, "sim.markets.mandates.letters=2")
    deals, old = economy.deals, economy.rows("us", OPERATING)[:2]
    deals["agency"][old], deals["second"][old] = [1, 2], [3, 2]
    refinancing._roll(economy, "us", old, np.array([2e7, 3e7]))
    assert deals["agency"][-2:].tolist() == [1, 2] and deals["second"][-2:].tolist() == [3, 2]


def test_an_agencys_offer_is_read_with_its_own_looseness(competing):
    economy = competing.fork()
    economy.clock = 4 * QUARTER  # the second agency's turn
    for agency, notches in zip(economy.all("agency", "us"), (0.0, 1.5, 3.0), strict=True):
        agency.looseness = notches
    beliefs, labs, p = rating._opine(economy, "us"), rating.tenants(economy, "us"), economy.params.sim.ratings
    before = economy.sized["us"].copy()
    structuring.structure_new(economy, {"us": beliefs}, {"us": labs})
    offer = structuring._offer(economy, "us", beliefs[1], labs)
    by_class = structure(ratings.loosened(p, 1.5), [offer.sought], seed=economy.params.seed, date=economy.clock)
    wanted = offer.sizes(by_class, len(before[1]))
    assert (economy.sized["us"] == np.array([before[0], wanted, before[2]])).all() and (wanted != before[1]).any()


def test_lenders_charge_new_deals_for_letters_they_distrust():
    economy = economy_of(ON)
    economy.all("agency", "us")[1].lost = 2.0
    rows, coupon = economy.rows("us", OPERATING)[:2], economy.deals["terms"]["coupon"]
    economy.deals["agency"][rows] = [0, 1]
    before = coupon[rows].copy()
    disclosing.charge(economy, "us", rows)
    assert coupon[rows] - before == approx(np.array([[0.0, 0.0], [0.004, 0.004]]))
    assert economy.deals["surcharge"][rows] == approx([0.0, 0.004])


def test_a_first_letter_has_lost_nothing():
    economy = economy_of(ON)
    economy.step()
    assert (economy.deals["rating"][:, 0] >= 0).any() and all(agency.fallen == 0.0 for agency in economy.all("agency", "us"))
