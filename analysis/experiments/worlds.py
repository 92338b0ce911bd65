"""Worlds to experiment on: the economy, or a toy with the same face whose loop was planted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from analysis.experiments.toy import Toy
from analysis.settings import key
from sim import references
from sim.arrows import ARROWS, Gain, Pulse
from sim.compose import resolve
from sim.mistakes import Mistake, Mistakes, wrong
from sim.params import Params, config_hash
from sim.run import warm_cache

Constants = Mapping[str, float]  # "signal/region" -> what a cut arrow transmits


@dataclass(frozen=True)
class World:
    """A configuration without a seed, and who lives in it.

    Attributes
    ----------
    lines : as on the command line: ``("scenario=us_only", "size=class")``
    toy : gain planted in a toy economy instead; None for the economy
    swings : standard deviation of what shakes the toy's credit from outside, an amplifier without a loop
    """

    lines: tuple[str, ...]
    toy: float | None = None
    swings: float = 0.0

    @property
    def live(self) -> bool:
        """Whether its lines leave all arrows live."""
        return bool(_resolved(self.lines).sim.arrows.live)

    def params(self, seed: int, cut: Sequence[str] = (), pulse: Pulse | None = None, recording: bool = False) -> Params:
        """With a seed, some arrows cut, others as its lines say (all live for a recording), and a push, if any."""
        base = _resolved(self.lines)
        arrows = base.sim.arrows
        chosen = {name: 0.0 if name in cut else 1.0 for name in ARROWS if name in cut or recording}
        gains = {name.replace(">", "_"): Gain(gain=gain) for name, gain in chosen.items()}
        arrows = arrows.model_copy(update=gains | {"pulse": pulse or arrows.pulse})
        return base.model_copy(update={"seed": seed, "sim": base.sim.model_copy(update={"arrows": arrows})})

    def economy(self, params: Params, constants: Constants | None = None, recording: bool = False) -> Any:
        """At its first month; cut arrows transmit ``constants``."""
        reference = transmitted(constants)
        if self.toy is not None:
            return Toy(params, self.toy, self.swings, reference, recording)
        return _builder()(params, reference, recording)

    def identity(self) -> str:
        """What its results depend on, seed and arrows apart."""
        return _identity(self)


def transmitted(constants: Constants | None) -> references.Signals:
    """Constants as arrows want them."""
    return {references.named(name): np.array([value]) for name, value in (constants or {}).items()}


@cache
def _identity(world: World) -> str:
    return f"{config_hash(world.params(0))} {world.toy} {world.swings}"


@cache
def _resolved(lines: tuple[str, ...]) -> Params:
    """Later lines replace earlier ones of the same key."""
    return resolve(list({key(line): line for line in lines}.values()))


def refuse_cuts(world: World) -> None:
    """For experiments that make no references.

    Raises
    ------
    Mistakes
    """
    if not world.live:
        raise Mistakes([Mistake("--set sim.arrows", ": a cut needs references, which only `python -m analysis loop` makes here.")])


def refuse_pulse(params: Params) -> None:
    """For experiments that push signals themselves.

    Raises
    ------
    Mistakes
    """
    if params.sim.arrows.pulse.size:
        size = params.sim.arrows.pulse.size
        raise Mistakes([wrong("sim.arrows.pulse.size", size, "this command pushes signals itself. Leave it 0.")])


def constants(economy: Any) -> dict[str, float]:
    """Mean of every signal over agents and recorded months of a run that has kept them."""
    means = references.constants([references.signals(economy)], economy.burn_in)
    return {"/".join(key): float(value[0]) for key, value in means.items()}


def _builder() -> Callable[..., Any]:
    warm_cache()
    from sim.build import build  # pulls in Mesa and numba, which a toy need not wait for

    return build
