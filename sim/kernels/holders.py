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


@njit(cache=True, **LEAN)
def exchange(face, paid, shares, rows, slots, k, sells, buys, owed, price):
    """Holders sell slices of what they hold of class ``k`` of every deal; others buy them.

    Parameters
    ----------
    face, paid : (i, n) USD of each deal that each sells, and gets for it, written
    shares : (d, k, j) of every deal's classes, changed
    rows, slots : (n,) deals; (i,) places of the holders among all
    sells, buys : (i,) part of its holdings that each sells, share of what is sold that each buys
    owed, price : (n, k) USD of notes, and their price
    """
    for n in range(rows.size):
        own, sold = shares[rows[n], k], 0.0
        for i in range(slots.size):
            part = own[slots[i]] * sells[i]
            face[i, n] = owed[n, k] * part
            paid[i, n] = owed[n, k] * price[n, k] * part
            sold += part
        for i in range(slots.size):
            own[slots[i]] += sold * buys[i] - own[slots[i]] * sells[i]
