"""A run that was asked to stop does, even if the first exception was lost on its way."""

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
