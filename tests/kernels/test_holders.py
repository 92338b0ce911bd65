"""What each holder's part is of what deals pay or owe."""

import numpy as np

from sim.kernels.holders import add_classes, add_parts, exchange, list_parts

ROWS = np.array([0, 2])
AMOUNTS = np.array([[10.0, 4.0], [0.0, 8.0]])  # of deals 0 and 2, senior and mezzanine
SHARES = np.array([[[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]], [[0.0] * 3] * 2, [[0.0, 1.0, 0.0], [0.0, 0.25, 0.75]]])


def test_a_holder_gets_its_share_of_each_class_of_each_deal():
    """10 + 4/2 = 12; 4/2 + 8/4 = 4; 8 * 3/4 = 6: 22 USD in all."""
    sums = np.zeros(3)
    add_parts(sums, ROWS, AMOUNTS, SHARES)
    assert sums.tolist() == [12.0, 4.0, 6.0]


def test_parts_by_class_add_up_to_parts():
    """Senior 10; mezzanine 4/2, 4/2 + 8/4, 8 * 3/4."""
    sums = np.zeros((2, 3))
    add_classes(sums, ROWS, AMOUNTS, SHARES)
    assert sums.tolist() == [[10.0, 0.0, 0.0], [2.0, 4.0, 6.0]]


def test_parts_are_listed_deal_by_deal_without_those_of_nothing():
    """Deal 0 (party 100): 12 and 2; deal 2 (party 102): 2 and 6."""
    issuers, holders, paid = np.zeros(6, np.int64), np.zeros(6, np.int64), np.zeros(6)
    count = list_parts(issuers, holders, paid, ROWS, AMOUNTS, SHARES, np.array([100, 101, 102]), np.array([7, 8, 9]))
    listed = list(zip(issuers[:count].tolist(), holders[:count].tolist(), paid[:count].tolist(), strict=True))
    assert listed == [(100, 7, 12.0), (100, 8, 2.0), (102, 8, 2.0), (102, 9, 6.0)]


def test_slices_change_hands_at_the_price_and_shares_stay_whole():
    """The first sells half of its 10 senior in deal 0, at 0.9, to the third; in deal 2 it has none."""
    shares, face, paid = SHARES.copy(), np.empty((3, 2)), np.empty((3, 2))
    sells, buys, price = np.array([0.5, 0.0, 0.0]), np.array([0.0, 0.0, 1.0]), np.full((2, 2), 0.9)
    exchange(face, paid, shares, ROWS, np.arange(3), 0, sells, buys, AMOUNTS, price)
    assert face.tolist() == [[5.0, 0.0], [0.0, 0.0], [0.0, 0.0]] and paid.tolist() == [[4.5, 0.0], [0.0, 0.0], [0.0, 0.0]]
    assert shares[0, 0].tolist() == [0.5, 0.0, 0.5] and shares[2, 0].tolist() == [0.0, 1.0, 0.0]
    assert (shares[:, 1] == SHARES[:, 1]).all()


def test_a_class_changes_hands_by_its_own_shares_balances_and_prices():
    """Half of the first's half of 4 junior in deal 0, at a half, to the second; seniors stay where they are."""
    shares, face, paid = SHARES.copy(), np.empty((3, 2)), np.empty((3, 2))
    sells, buys, price = np.array([0.5, 0.0, 0.0]), np.array([0.0, 1.0, 0.0]), np.array([[9.0, 0.5], [9.0, 0.5]])
    exchange(face, paid, shares, ROWS, np.arange(3), 1, sells, buys, AMOUNTS, price)
    assert face.tolist() == [[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]] and paid.tolist() == [[0.5, 0.0], [0.0, 0.0], [0.0, 0.0]]
    assert shares[0, 1].tolist() == [0.25, 0.75, 0.0] and (shares[:, 0] == SHARES[:, 0]).all()


def test_holders_are_found_by_their_places_among_all():
    """The same, where the three who trade stand second to fourth."""
    shares, face, paid = np.zeros((3, 2, 5)), np.empty((3, 2)), np.empty((3, 2))
    shares[:, :, 1:4] = SHARES
    sells, buys = np.array([0.5, 0.0, 0.0]), np.array([0.0, 0.0, 1.0])
    exchange(face, paid, shares, ROWS, np.arange(1, 4), 0, sells, buys, AMOUNTS, np.ones((2, 2)))
    assert face[0].tolist() == [5.0, 0.0] and shares[0, 0].tolist() == [0.0, 0.5, 0.0, 0.5, 0.0]
