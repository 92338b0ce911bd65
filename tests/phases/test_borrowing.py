"""Labs' debts: what users will pay and models' weights as collateral, through the waterfall, rated, lost with the lab."""

from pathlib import Path

import numpy as np
from pytest import approx, fixture, mark, raises

import configs
from sim.books.deals import OPERATING
from sim.books.ledger import ACCOUNT
from sim.build import build
from sim.compose import resolve
from sim.markets import borrowing as market
from sim.markets.parts import RECEIVABLES, WEIGHTS
from sim.mistakes import Mistakes
from sim.phases import borrowing, receiving
from sim.phases.collateral import package, package_new
from tests.phases.economies import SMALL, economy_of

SCENARIO = "scenario=labs_borrow"


@fixture(scope="module")
def lived():
    """A year of labs' borrowing, nine tenths of payments under contract."""
    lines = ("sim.build.start_spread=0.05", "agents.labs.dearest=1", "sim.markets.borrowing.contracted=0.9")
    economy = build(resolve([*SMALL, SCENARIO, *lines]))
    for _ in range(12):
        economy.step()
    return economy


@fixture
def lent(lived):
    """The same, the month's figures open, and for each kind of pledge a deal that is not yet repaid."""
    economy = lived.fork()
    economy.facts = {"us": {}}
    rows = receiving.pledged_rows(economy, "us")
    backing = economy.deals["backing"][rows]
    return economy, [int(rows[backing == kind][-1]) for kind in (RECEIVABLES, WEIGHTS)]


def account(economy, party, name: str) -> float:
    return float(economy.ledger.balances[party, ACCOUNT[name]])


def lab_of(economy, row: int):
    return economy.all("lab", "us")[economy.places("lab", "us", economy.deals["sponsor"][[row]])[0]]


def lead(economy, ahead: float) -> None:
    """Every lab is so much better than the best was."""
    for lab in economy.all("lab", "us"):
        lab.quality, lab.past = ahead, [0.0]


@mark.parametrize(
    ("month", "coupon", "most", "sought"), [(3, 0.1, 1e9, 50.0), (4, 0.1, 1e9, 0.0), (3, 0.3, 1e9, 0.0), (3, 0.1, 20.0, 20.0)]
)
def test_a_lab_borrows_once_a_quarter_what_its_pledges_carry_unless_it_is_too_dear(month, coupon, most, sought):
    """A yearly bill of 400, half of it borrowed a year: 50 a quarter; shareholders ask 0.2."""
    lab = economy_of("agents.labs.borrowed=0.5", "agents.labs.dearest=0.2").all("lab", "us")[0]
    lab.bill = 400.0
    assert lab.borrows(month, coupon, most) == sought


def test_training_follows_what_is_borrowed_beyond_debt_service():
    """30 borrowed, 10 served in a month on a yearly bill of 120: twice the bill a year."""
    lab = economy_of().all("lab", "us")[0]
    lab.bill, lab.lent, lab.served = 120.0, 30.0, 10.0
    assert lab.net_borrowing == approx(2.0)
    lab.remember(4)
    assert lab.lent == 0.0 and lab.net_borrowing == approx(-1.0)


def test_an_open_model_is_as_good_as_the_best_lab_was_some_months_ago():
    """A lead of 0.8 half a half-life, of two years, ago is 0.8 / sqrt 2 = 0.566 now: 0.56 is overtaken, 0.57 is not."""
    found = market.overtaken(np.array([0.56, 0.57, -0.1]), 0.8, 12, 2.0)
    assert found.tolist() == [True, False, True]


def test_a_models_worth_is_its_margin_discounted_while_it_decays():
    """10 % and a half-life of a year: 1 a year is worth 1 / (0.1 + 0.693); a mark-up of 1/4 is a fifth of what users pay."""
    p = resolve([]).sim.markets.tokens.model_copy(update={"worth_rate": 0.1, "margin": 0.25, "half_life": 1.0})
    assert market.pace(p, 1.0) == approx(0.1 + np.log(2.0)) and market.margins(p, 100.0, 1.0) == approx(20.0)


def test_investors_money_reaches_the_lab_less_the_reserve_and_both_owe_the_same(lent):
    """What the notes are is what the company has a claim for; pool, pledge and payments fit; no more than the channel's most."""
    economy, (row, _) = lent
    deals, lab = economy.deals, lab_of(economy, row)
    cash, month = float(economy.ledger.cash(lab.party)), lab.number
    economy.clock += (-(economy.clock + month)) % 3
    before, lab.lent = len(deals), 0.0
    borrowing._lend(economy, "us", int(deals["channel"][row]))
    mine = [r for r in range(before, len(deals)) if deals["sponsor"][r] == lab.party]
    assert len(mine) == 1
    (new,) = mine
    notes, party = float(deals["state"]["balance"][new].sum()), int(deals["party"][new])
    assert notes == approx(float(deals["commitment"][new].sum())) and deals["stage"][new] == OPERATING
    reserve = float(deals["state"]["reserve"][new])
    assert reserve > 0.0 and float(economy.ledger.cash(lab.party)) - cash == approx(notes - reserve)
    assert lab.lent == approx(notes - reserve)
    assert account(economy, party, "claims") == approx(notes) and account(economy, party, "cash") == approx(reserve)
    assert deals["pledge"][new] * lab.paid * 24.0 == approx(float(deals["budget"][new]))
    senior, debt = borrowing.advance(economy, "us", int(deals["channel"][row]))
    assert notes == approx(debt * float(deals["budget"][new])) and debt <= 0.85 and senior <= 0.75


@mark.parametrize(("sized", "addon", "expected"), [(0.95, 0.0, (0.75, 0.85)), (0.95, 0.1, (0.65, 0.75)), (0.5, 0.1, (0.5, 0.5))])
def test_lenders_advance_what_agencies_the_channel_and_the_regulator_allow(lent, sized, addon, expected):
    """The channel has 0.75 and 0.85 at most; the regulator takes its part off these."""
    economy, (row, _) = lent
    c = int(economy.deals["channel"][row])
    economy.sized["us"][:, c] = sized
    economy.publish("us", ltv_addon=addon)
    assert borrowing.advance(economy, "us", c) == approx(expected)


def test_what_is_pledged_is_not_pledged_twice(lent):
    """Of payments 0.9 may be pledged; a lab's deals hold p of it: 0.9 - p is left, and pools are made of no more."""
    economy, (row, _) = lent
    deals, lab = economy.deals, lab_of(economy, row)
    rows = receiving.pledged_rows(economy, "us")
    mine = rows[(deals["sponsor"][rows] == lab.party) & (deals["backing"][rows] == RECEIVABLES)]
    pledged = float(deals["pledge"][mine].sum())
    left = receiving.remaining(economy, "us")
    assert 0.0 < pledged <= 0.9 + 1e-12 and left[0, lab.number] == approx(0.9 - pledged)
    pool, share = borrowing.worth(economy, "us", int(deals["channel"][row]))
    assert pool[lab.number] == approx((0.9 - pledged) * lab.paid * 24.0) and share[lab.number] == approx(0.9 - pledged)


def test_users_payments_go_to_the_company_and_less_of_them_once_the_lab_has_failed(lent):
    """A tenth pledged of 1,000: 100, after a failure 55, after two 30.25; weights: a tenth of the margin, then nothing."""
    economy, both = lent
    deals, labs = economy.deals, len(economy.all("lab", "us"))
    lead(economy, 1.0)
    deals["pledge"][both], deals["collects"][both] = 0.1, 1.0
    payments = np.full(labs, 1_000.0)
    margin = market.margins(economy.params.sim.markets.tokens, 1_000.0, economy.tape.half_life)
    for expected in ([100.0, 0.1 * margin], [55.0, 0.0], [30.25, 0.0]):
        assert receiving.incoming(economy, "us", np.array(both), payments) == approx(expected)
        borrowing.fail(economy, "us", economy.parties("lab", "us"))


def test_labs_owe_what_comes_in_and_pass_it_on(lent):
    """Only pledged parts: what is claimed is what is collected, and it waits in the companies for the pay date."""
    economy, both = lent
    payments, deals = np.full(len(economy.all("lab", "us")), 1e9), economy.deals
    rows, before = receiving.pledged_rows(economy, "us"), deals["collected"].copy()
    due, cash = borrowing.claimed(economy, "us", payments), economy.ledger.cash(economy.parties("lab", "us"))
    borrowing.collect(economy, "us", payments)
    assert cash - economy.ledger.cash(economy.parties("lab", "us")) == approx(due, abs=1e-3) and (due > 0.0).any()
    assert (deals["collected"] - before)[rows].sum() == approx(due.sum()) and lab_of(economy, both[0]).paid == 1e9


def test_a_sale_fetches_what_is_still_to_come_or_a_part_of_the_model_and_nothing_once_it_is_overtaken(lent):
    """A tenth of 1,000 a month, 6 of 24 gone: 1,800. The model: 0.02 of a year's margin over discount and decay; overtaken: 0."""
    economy, both = lent
    deals, tokens = economy.deals, economy.params.sim.markets.tokens
    lead(economy, 1.0)
    for lab in economy.all("lab", "us"):
        lab.paid = 1_000.0
    deals["pledge"][both], deals["collects"][both], deals["state"]["age"][both] = 0.1, 1.0, 6
    life = economy.tape.half_life
    worth = 0.02 * 0.1 * 12.0 * market.margins(tokens, 1_000.0, life) / market.pace(tokens, life)
    assert receiving.values(economy, "us", np.array(both)) == approx([1_800.0, worth])
    for lab in economy.all("lab", "us"):
        lab.past = [9.0]
    assert receiving.values(economy, "us", np.array(both)) == approx([1_800.0, 0.0])


def test_agencies_see_the_pledge_the_haircut_and_the_lab_alone(lent):
    """Contract: what comes in now; without the lab 0.55 of receivables and nothing of weights; no ageing of receivables."""
    economy, both = lent
    lead(economy, 1.0)
    comes = receiving.incoming(economy, "us", np.array(both), np.array([lab.paid for lab in economy.all("lab", "us")]))
    seen = package(economy, "us", np.array(both))
    assert seen.contract[:, 0] == approx(comes) and seen.market[:, 0] == approx([0.55 * comes[0], 0.0])
    assert seen.share.tolist() == [[1.0], [1.0]] and seen.ageing.tolist() == [0.0, 1.0] and not seen.cost.any()
    assert seen.tenant[:, 0].tolist() == [lab_of(economy, row).number for row in both]
    assert (seen.contract_end > seen.periods[:, None]).all()
    borrowing.fail(economy, "us", economy.parties("lab", "us"))
    after = package(economy, "us", np.array(both))
    assert after.contract[:, 0] == approx([0.55 * comes[0], 0.0]) and after.market[:, 0] == approx([0.55 * comes[0], 0.0])


def test_new_pledges_of_one_dollar_pay_it_back_over_their_tenor(lent):
    """1/24 a month, 0.55 of it without the lab; weights earn discount and decay over twelve, and fetch 0.02."""
    economy, _ = lent
    names = [c.name for c in economy.menus["us"]]
    new, (bills, model) = package_new(economy, "us", 0), [names.index(name) for name in ("receivables", "weights")]
    assert new.contract[bills] == approx(1.0 / 24.0) and new.market[bills] == approx(0.55 / 24.0)
    assert new.value[bills, :2] == approx([23.0 / 24.0, 22.0 / 24.0])
    pace = market.pace(economy.params.sim.markets.tokens, economy.tape.half_life)
    assert new.contract[model] == approx(pace / 12.0) and not new.market[model].any() and new.value[model] == approx(0.02)
    assert new.ageing[[bills, model]].tolist() == [0.0, 1.0] and new.share[[bills, model], 0].tolist() == [1.0, 1.0]


@mark.parametrize("overtaken", [False, True])
def test_owners_buy_weights_back_for_what_they_fetch_and_holders_lose_the_rest(lent, overtaken):
    """The lab fails, its model earns nothing and is sold: for 0.02 of its worth, or for nothing once an open model is better."""
    economy, (_, row) = lent
    deals, lab = economy.deals, lab_of(economy, row)
    lead(economy, 1.0)
    deals["collects"][row], deals["state"]["reserve"][row] = 0.0, 0.0
    party = int(deals["party"][row])
    economy.ledger.pay("residual", party, lab.party, max(float(economy.ledger.cash(party)) - float(deals["collected"][row]), 0.0))
    while not deals["state"]["sold"][row]:
        for other in economy.all("lab", "us"):
            other.quality, other.past = 1.0, [9.0 if overtaken else 0.0] * 9
        economy.step()
    price = float(deals["payment"]["sale_proceeds"][row])
    assert (price == 0.0) == overtaken and deals["lost"][row].sum() > 0.0
    months = economy.recorder.table("monthly").to_pandas()
    assert months["pledges_sold"].iloc[-1] == approx(price) and months["audit_gap"].max() < 1e-9
    assert deals["pledge"][row] == 0.0 and np.abs(economy.ledger.balances[party]).max() < 1.0


def test_a_run_in_which_labs_borrow_balances_and_repays(lent):
    """Three years: what labs owe is their companies' notes, month by month; repaid ones own and owe nothing; letters are given."""
    economy, both = lent
    for _ in range(24):
        economy.step()
    monthly = economy.recorder.table("monthly").to_pandas()
    flows = economy.recorder.table("flows").to_pandas().groupby(["flow", "payer", "payee"])["usd"].sum()
    deals = economy.deals
    owed = -economy.ledger.balance(economy.parties("lab", "us"), "claims").sum()
    rows = receiving.pledged_rows(economy, "us")
    assert owed == approx(deals["state"]["balance"][rows].sum()) and owed > 0.0
    lent_in_all = monthly["issuance_receivables"].sum() + monthly["issuance_weights"].sum()
    assert flows["pledge_bought", "deal", "lab"] == approx(lent_in_all)
    assert flows["collection", "lab", "deal"] > 0.0 and monthly["audit_gap"].max() < 1e-9
    assert not deals["pledge"][both[0]] and (deals["rating"][rows[deals["issued"][rows] < 35], 0] >= 0).all()
    table = economy.recorder.table("tranches").to_pandas()
    assert set(table["deal"]) & set(rows.tolist())


def test_labs_owe_nobody_where_no_channel_lends_to_them():
    economy = economy_of()
    for _ in range(4):
        economy.step()
    assert not economy.deals["pledge"].any() and not economy.ledger.balances[:, ACCOUNT["claims"]].any()
    assert borrowing.expected(economy, "us") == 0.0


def test_other_channels_do_not_lend_to_labs_nor_labs_channels_to_others(tmp_path):
    text = (tmp_path / "x.yaml").write_text
    plain = (Path(configs.__file__).parent / "scenario" / "labs_borrow.yaml").read_text()
    for old, new, words in (
        ("use: borrow", "use: build", "labs borrow through receivables and weights"),
        ("tenor: 24", "tenor: 0", "equal parts"),
    ):
        text(plain.replace(old, new, 1))
        with raises(Mistakes, match=words):
            resolve([f"scenario={tmp_path / 'x.yaml'}"])
