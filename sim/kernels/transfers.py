"""Many payments at once: checked together, then made together."""

import math

from numba import njit

DONE = -1


@njit(cache=True)
def one(values, i):
    """The i-th value, or the only one."""
    return values[i] if values.size > 1 else values[0]


@njit(cache=True)
def shift(balances, count, parties, amounts, rises, falls):
    """Add amounts (count,) to one account of parties (count,), and take them from another; (1,) for all."""
    for i in range(count):
        balances[one(parties, i), rises] += one(amounts, i)
        balances[one(parties, i), falls] -= one(amounts, i)


@njit(cache=True)
def transfer(balances, flow, kinds, out, came, parties, count, payers, payees, amounts, rises, falls, dust):
    """Make ``count`` payments if all are proper and no payer but party 0 ends below zero; otherwise none.

    Parameters
    ----------
    balances : (p, account) USD, written; account 0 is cash
    flow : (kind, kind) USD by payer's and payee's kind, written
    kinds : (p,) kind of each party
    out, came : (p,) scratch, zero before and after
    parties : how many have accounts
    payers, payees, amounts : (count,), or (1,) for all; amounts in USD
    rises, falls : account of the payer that rises, of the payee that falls
    dust : USD of overdraft that is rounding

    Returns
    -------
    the first payment that is not proper (of an unknown party, below ``-dust`` or not finite), and the first party that
    lacks cash; DONE and DONE when all is paid
    """
    for i in range(count):
        payer, payee = one(payers, i), one(payees, i)
        if not (0 <= payer < parties and 0 <= payee < parties and -dust <= one(amounts, i) < math.inf):
            return i, DONE
    for i in range(count):
        payer, payee, amount = one(payers, i), one(payees, i), one(amounts, i)
        out[payer] += amount
        came[payee] += amount
    short = DONE
    for p in payers:
        after = balances[p, 0] - out[p] + came[p]
        if p > 0 and out[p] > 0.0 and after < -dust - 1e-12 * out[p] and (short == DONE or p < short):
            short = p
    for p in payers:
        if short == DONE:
            balances[p, 0] -= out[p]
            balances[p, rises] += out[p]
        out[p] = 0.0
    for p in payees:
        if short == DONE:
            balances[p, 0] += came[p]
            balances[p, falls] -= came[p]
        came[p] = 0.0
    if short == DONE:
        for i in range(count):
            flow[kinds[one(payers, i)], kinds[one(payees, i)]] += one(amounts, i)
    return DONE, short
