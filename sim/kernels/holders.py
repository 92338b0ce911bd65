"""What each holder's part is of what deals pay or owe."""

from numba import njit

from sim.kernels import INLINED, LEAN


@njit(**INLINED)
def part(n, row, i, amounts, shares):
    """Part of holder ``i`` in the amounts (k,) of the ``n``-th deal, which stands in ``row``."""
    found = amounts[n, 0] * shares[row, 0, i]
    for k in range(1, amounts.shape[1]):
        found += amounts[n, k] * shares[row, k, i]
    return found


@njit(cache=True, **LEAN)
def add_parts(sums, rows, amounts, shares):
    """Add up holders' parts, deal by deal.

    Parameters
    ----------
    sums : (i,) USD, written
    rows : (n,) deals
    amounts : (n, k) USD
    shares : (d, k, i) of every deal's classes
    """
    for n in range(rows.size):
        for i in range(sums.size):
            sums[i] += part(n, rows[n], i, amounts, shares)


@njit(cache=True, **LEAN)
def list_parts(issuers, holders, paid, rows, amounts, shares, party, investors):
    """List who owes a part to whom, deal by deal. Returns how many there are.

    Parameters
    ----------
    issuers, holders, paid : (n * i,) parties and USD, written as far as there are parts
    rows, amounts, shares : as in ``add_parts``
    party, investors : (d,) party of every deal, (i,) of every holder
    """
    count = 0
    for n in range(rows.size):
        for i in range(investors.size):
            found = part(n, rows[n], i, amounts, shares)
            if found != 0.0:
                issuers[count], holders[count], paid[count] = party[rows[n]], investors[i], found
                count += 1
    return count


@njit(cache=True, **LEAN)
def add_classes(sums, rows, amounts, shares):
    """Add up holders' parts by class: ``add_parts`` into ``sums`` (k, i)."""
    for n in range(rows.size):
        for k in range(sums.shape[0]):
            for i in range(sums.shape[1]):
                sums[k, i] += amounts[n, k] * shares[rows[n], k, i]
