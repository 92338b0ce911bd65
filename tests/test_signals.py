"""A run that was asked to stop does, even if an exception could not be raised at once or was lost on its way."""

import signal

from pytest import fixture, mark, raises

from sim import signals


@fixture(autouse=True)
def quiet():
    """Handlers and memory as they were."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    signals.asked.clear()
    for number, handler in handlers.items():
        signal.signal(number, handler)


@mark.parametrize(("number", "stop"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_what_was_swallowed_is_raised_again_by_the_next_month(number, stop):
    signals.listen()
    signals.heed()  # nothing was asked
    with raises(stop):
        signal.raise_signal(number)
    with raises(stop):
        signals.heed()


def from_foreign_code(call):
    """Called as the compiler's C code calls back: through a frame of its module."""
    room = {"__name__": f"{signals.FOREIGN}.binding", "call": call}
    exec("def back():\n    call()", room)
    room["back"]()


@mark.parametrize(("number", "stop"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_nothing_is_raised_into_foreign_code_and_the_run_stops_after_it(number, stop):
    signals.listen()
    from_foreign_code(lambda: signal.raise_signal(number))
    with raises(stop):
        signals.heed()


def test_the_foreign_code_is_the_one_that_calls_back():
    """The frames of the compiler's callbacks are where the handler looks for them."""
    import llvmlite.binding.executionengine as engine

    assert engine.ExecutionEngine._raw_object_cache_getbuffer.__globals__["__name__"].split(".")[0] == signals.FOREIGN
