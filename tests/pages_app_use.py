"""The classroom page in use: cutting, sliding, and what goes wrong. Run by ``make test-pages``."""

from playwright.sync_api import expect

from analysis.app.changes import menu
from tests.classroom import PATIENCE, SHOTS, Serving, act, arrow, explore, frame, go, runs, settle

pytest_plugins = ["tests.classroom"]


def test_every_arrow_can_be_cut_in_month_60_and_both_futures_stay(serving, opened):
    page = opened(serving.address)
    explore(page, 60)
    for each in menu()["arrows"]:
        act(page, arrow(each["name"]))
        go(page, 72)
        found = runs(page)
        assert found["history"]("us", "capex")[:60] == found["what_if"]("us", "capex")[:60]
        assert found["history"]("us", "capex")[60:] != found["what_if"]("us", "capex")[60:]
        frame(page)
        assert page.get_attribute(f'[data-arrow="{each["name"]}"]', "aria-pressed") == "true"
        assert "what if" in page.get_attribute("[data-chart=capex] canvas", "aria-label")
        page.screenshot(path=SHOTS / f"cut-{each['name']}.png")
        act(page, arrow(each["name"]))
        assert page.evaluate("caploop.page.tracks.whatIf") is None
        go(page, 60)


def test_arrows_are_cut_and_healed_by_keys(serving, opened):
    page = opened(serving.address)
    explore(page, 3)
    page.focus("#play")
    page.keyboard.press("4")
    expect(page.locator("#whatif li")).to_have_count(1)
    page.focus('[data-arrow="cobweb"]')
    page.keyboard.press("Enter")
    expect(page.locator("#whatif li")).to_have_count(2)
    page.keyboard.press("u")
    page.keyboard.press("4")
    expect(page.locator("#whatif li")).to_have_count(0)


def test_every_slider_can_be_dragged_to_both_ends(serving, opened):
    """By keys End and Home, as assistive technology does: months go on, or a sentence says why not."""
    page = opened(serving.address)
    explore(page, 6)
    page.click("#sliders summary")
    for row in page.query_selector_all(".slider:not([hidden])"):
        for key in ("End", "Home"):
            row.query_selector("input[type=range]").press(key)
            page.wait_for_function("!caploop.page.pending")
        go(page, 9)
        assert page.is_hidden("#notice")
        page.evaluate("caploop.page.undoAll()")
        page.wait_for_function("!caploop.page.pending")
        go(page, 6)


def test_a_bad_value_gives_a_sentence_and_a_way_back(serving, opened):
    page = opened(serving.address)
    explore(page, 4)
    page.click("#sliders summary")
    box = page.locator('[data-slider="agents.regulators.ltv_cap"] input[type=number]')
    box.fill("7")
    box.press("Enter")
    expect(page.locator("#notice")).to_contain_text("0.1 to 1")
    page.screenshot(path=SHOTS / "bad-value.png")
    page.click("#notice button")
    expect(box).to_have_value("0.901")
    box.fill("")
    box.press("Enter")
    expect(page.locator("#notice")).to_contain_text("no number")


def test_an_impossible_combination_gives_a_sentence_and_keeps_the_rest(serving, opened):
    page = opened(serving.address)
    explore(page, 4)
    page.click("#sliders summary")
    page.locator('[data-slider="sim.markets.primary.us.base_rate"] input[type=range]').press("End")
    expect(page.locator("#whatif li")).to_have_count(1)
    page.wait_for_function("!caploop.page.pending")
    page.click("[data-shock=rate_rise]")
    expect(page.locator("#notice")).to_contain_text("0.28")
    expect(page.locator("#whatif li")).to_have_count(1)


def test_a_reload_in_the_middle_finds_everything_as_it_was(serving, opened):
    page = opened(serving.address)
    explore(page, 10)
    act(page, arrow("cobweb"))
    go(page, 14)
    before = {name: run("us", "capex") for name, run in runs(page).items()}
    page.reload()
    settle(page, 14)
    assert {name: run("us", "capex") for name, run in runs(page).items()} == before
    expect(page.locator("#whatif li")).to_have_count(1)


def test_two_browsers_do_not_see_each_other(serving, opened):
    one, other = opened(serving.address), opened(serving.address)
    for page in (one, other):
        explore(page, 6)
    act(one, arrow("valuation_credit"))
    one.click("#luck")
    one.wait_for_function("caploop.page.seed === 2")
    assert other.evaluate("[caploop.page.changes.length, caploop.page.seed]") == [0, 1]
    go(other, 8)
    assert other.evaluate("caploop.page.tracks.whatIf") is None


def test_a_lost_connection_is_said_and_mends_itself(opened):
    """The server dies and comes back: the page lives its economy again, changes included."""
    server = Serving()
    page = opened(server.address)
    explore(page, 8)
    act(page, arrow("cobweb"))
    go(page, 10)
    before = {name: run("us", "capex") for name, run in runs(page).items()}
    server.stop()
    expect(page.locator("#notice")).to_contain_text("connection to the economy is lost", timeout=PATIENCE)
    page.screenshot(path=SHOTS / "lost.png")
    again = Serving(server.port)
    page.wait_for_selector("#notice", state="hidden")
    settle(page, 10)
    assert {name: run("us", "capex") for name, run in runs(page).items()} == before
    again.stop()


def test_another_page_cannot_talk_to_the_server(serving, opened):
    """Its socket is closed before it opens: the Origin is not the server's own."""
    page = opened(serving.address)
    page.goto("about:blank")
    code = page.evaluate(
        f"new Promise((done) => new WebSocket('ws://127.0.0.1:{serving.port}/economy').onclose = ({{ code }}) => done(code))"
    )
    assert code == 1006
    page.goto(serving.address)


def test_the_page_needs_nothing_from_elsewhere(serving, opened):
    """With its own Content-Security-Policy in force; whatever it blocks would be an error in the console."""
    page = opened(serving.address, strict=True)
    page.click("#explore")
    page.click("#step")
    expect(page.locator("#when")).to_contain_text("Month 1 ", timeout=PATIENCE)
