"""Venture debt: part of a raise, repaid out of labs' cash, lost with the lab."""

import numpy as np
from pytest import approx, fixture, mark

from sim.books.ledger import ACCOUNT
from sim.phases import venturing
from tests.phases.economies import economy_of

TERMS = ("agents.labs.venture_share=0.25", "agents.labs.venture_spread=0.078", "agents.labs.venture_repayment=0.05")


@fixture
def banked():
    """A small economy with venture debt at its start; its first lab seeks 400 on a yearly bill of 1,000."""
    economy = economy_of(*TERMS)
    lab = economy.all("lab", "us")[0]
    lab.offered, lab.bill = 400.0, 1_000.0
    return economy, lab


def funding(economy) -> float:
    """What banks owe the world for what they lend, less what investors owe them, USD."""
    bank = economy.outside["banks", "us"]
    return -float(economy.ledger.balance(bank, "funding")) - float(
        -economy.ledger.balance(economy.parties("investor", "us"), "loans").sum()
    )


@mark.parametrize(("owed", "ration", "lent"), [(0.0, 1.0, 100.0), (0.0, 0.5, 50.0), (450.0, 1.0, 50.0), (600.0, 1.0, 0.0)])
def test_banks_lend_a_share_of_a_raise_less_when_credit_is_rationed_and_up_to_the_cap(banked, owed, ration, lent):
    """A quarter of 400; half of it where half of all requests are met; never above half of a year's bill of 1,000."""
    assert banked[1].venture_debt(owed, ration) == approx(lent)


def test_a_loan_is_the_banks_asset_and_the_world_funds_it(banked):
    economy, lab = banked
    cash, before = float(economy.ledger.cash(lab.party)), funding(economy)
    assert venturing.advance(economy, "us", lab) == approx(100.0)
    assert float(economy.ledger.cash(lab.party)) - cash == approx(100.0, abs=1e-4)
    assert float(economy.ledger.balance(lab.party, "loans")) == approx(-100.0)
    assert funding(economy) - before == approx(100.0, abs=1e-3)


def test_interest_and_principal_are_due_by_the_month(banked):
    """1,200 at 4.2 % + 7.8 % = 12 % a year: 12 of interest; a twentieth, 60, of principal, which reduces what the bank owes."""
    economy, lab = banked
    lab.offered, lab.bill = 4_800.0, 1e4
    venturing.advance(economy, "us", lab)
    before, loans = funding(economy), venturing.due(economy, "us")
    assert loans[:, 0] == approx([12.0, 60.0]) and not loans[:, 1:].any()
    venturing.repay(economy, "us", loans)
    assert float(economy.ledger.balance(lab.party, "loans")) == approx(-1_140.0)
    assert before - funding(economy) == approx(60.0, abs=1e-3)


def test_a_failed_labs_bank_takes_its_cash_and_loses_the_rest(banked):
    """100 owed, 30 in cash: 70 are lost, and the lab owes nothing."""
    economy, lab = banked
    venturing.advance(economy, "us", lab)
    economy.ledger.pay("payout", lab.party, economy.outside["savers", "us"], float(economy.ledger.cash(lab.party)) - 30.0)
    venturing.claim(economy, "us", np.array([lab.party]))
    assert economy.facts["us"]["venture_losses"] == approx(70.0, abs=1e-4)
    assert float(economy.ledger.cash(lab.party)) == approx(0.0, abs=1e-6)
    assert float(economy.ledger.balance(lab.party, "loans")) == approx(0.0, abs=1e-6)


def test_venture_debt_runs_through_booms_and_failures_with_balanced_books():
    """Two years in which a lab is robbed of its cash: loans made are repaid, outstanding or lost; without a share there is none."""
    economy = economy_of(*TERMS)
    for month in range(24):
        if month == 15:
            lab = economy.all("lab", "us")[0]
            lab.params = lab.params.model_copy(update={"raise_multiple": 0.01})  # which all labs are offered
            economy.ledger.pay("payout", lab.party, economy.outside["savers", "us"], float(economy.ledger.cash(lab.party)))
        economy.step()
    record = economy.recorder.table("monthly").to_pandas()
    flows = economy.recorder.table("flows").to_pandas()
    repaid = flows[(flows["flow"] == "loan_repaid") & (flows["payer"] == "lab")]["usd"].sum()
    assert record["venture_losses"].sum() > 0.0 and record["lab_failures"].sum() >= 1.0
    assert record["venture_lent"].sum() == approx(repaid + record["venture_losses"].sum() + record["venture_debt"].iloc[-1])
    assert (record["venture_lent"] <= 0.25 * record["lab_raise"] * (1 + 1e-12)).all()
    assert economy.ledger.balances[:, ACCOUNT["loans"]].sum() == approx(0.0, abs=1e-2)


def test_without_a_share_nobody_lends():
    economy = economy_of()
    economy.step()
    record = economy.recorder.table("monthly").to_pandas()
    assert record["lab_raise"].iloc[0] > 0.0
    assert (record[["venture_lent", "venture_debt", "venture_losses"]] == 0.0).all(axis=None)
