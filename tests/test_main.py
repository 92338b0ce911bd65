"""What ``python -m sim`` does before and beside its run."""

import sys
from importlib import import_module

from pytest import raises

from sim.__main__ import without


def test_a_module_is_missing_only_as_long_as_it_is_left_out(monkeypatch):
    """Later imports find it: nothing else that uses it is cut off."""
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with without("colorsys"), raises(ImportError):
        import_module("colorsys")
    assert import_module("colorsys").rgb_to_hsv(0.0, 0.0, 0.0) == (0.0, 0.0, 0.0)


def test_a_module_that_is_loaded_stays():
    with without("sys"):
        assert import_module("sys") is sys
    assert sys.modules["sys"] is sys
