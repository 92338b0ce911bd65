"""The month, in the order money moves. Whoever has read this page and the files it names has read the model."""

from sim.phases.ageing import age
from sim.phases.building import build
from sim.phases.closing import close
from sim.phases.issuing import issue
from sim.phases.pricing import price
from sim.phases.rating import rate
from sim.phases.regulating import regulate
from sim.phases.renting import rent
from sim.phases.servicing import service
from sim.phases.using import use

PHASES = (
    issue,  # investors' money -> deals -> operators
    service,  # rents collected, waterfall, defaults, liquidation
    rate,  # agencies' beliefs, appraisals, letters, advance rates
    price,  # spreads, marks, haircuts, redemptions, forced sales
    build,  # draws, deliveries, new orders of operators and clouds
    rent,  # capacity meets demand
    use,  # users pay labs; labs raise, pay rent, train, fail
    age,  # the frontier moves; units wear, retire and are written down
    regulate,  # rules follow old losses
    close,  # outside accounts, audit, record, the tape turns its month
)


def table() -> str:
    """The phases and what each does, from their docstrings."""
    lines = [f"{i + 1:2d}  {phase.__name__:9s} {(phase.__doc__ or '').splitlines()[0]}" for i, phase in enumerate(PHASES)]
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
