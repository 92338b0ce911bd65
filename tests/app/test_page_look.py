"""How the page looks: text stands out from what is behind it, and nothing is loaded from elsewhere."""

import re
from importlib.resources import files

from pytest import mark

STATIC = files("analysis.app").joinpath("static")
STYLE = STATIC.joinpath("style.css").read_text(encoding="utf-8")
NAMED = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", STYLE))
LEAST = 4.5  # WCAG 2.2, 1.4.3, for text of any size


def luminance(colour: str) -> float:
    """WCAG 2.2: relative luminance of #rrggbb."""
    parts = [int(colour[at : at + 2], 16) / 255.0 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Black on white is 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_black_on_white_has_the_greatest_contrast():
    assert abs(contrast("#000000", "#ffffff") - 21.0) < 1e-9


@mark.parametrize("ground", [NAMED["paper"], NAMED["wash"], "#eaf3fb"])
@mark.parametrize("text", ["ink", "soft", "history", "what-if", "good", "bad"])
def test_text_stands_out(text, ground):
    assert ground in STYLE and contrast(NAMED[text], ground) >= LEAST


def test_grey_text_stands_out_too():
    greys = set(re.findall(r"fill: (#[0-9a-f]{6})[^}]*font-weight: 400|\.label \{ fill: (#[0-9a-f]{6})", STYLE))
    found = {colour for pair in greys for colour in pair if colour}
    assert found and all(contrast(colour, NAMED["paper"]) >= LEAST for colour in found)


def test_white_stands_out_on_buttons():
    assert contrast("#ffffff", NAMED["history"]) >= LEAST and contrast("#ffffff", NAMED["ink"]) >= LEAST


@mark.parametrize("name", sorted(item.name for item in STATIC.iterdir() if item.name.endswith((".html", ".css", ".js", ".svg"))))
def test_nothing_is_loaded_from_elsewhere(name):
    """No address but the one by which SVG elements are made, and that of the page's own server."""
    text = STATIC.joinpath(name).read_text(encoding="utf-8")
    addresses = set(re.findall(r"(?:https?|wss?):?//[^\s\"'`)]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg", "ws://${location.host}/economy?session=${encodeURIComponent(session"}


def test_scripts_are_classic_ones_so_that_files_may_load_them():
    """Browsers load no modules from file://."""
    page = STATIC.joinpath("index.html").read_text(encoding="utf-8")
    assert 'type="module"' not in page
    for name in re.findall(r'src="([^"]+)"', page):
        assert name == "data/catalog.js" or STATIC.joinpath(name).is_file()
