"""How far gradient descent on a linear model with two weights can stay from the best weights, for any order of rows.
Rows are (x1, x2, y); the loss is the mean of (x1 w1 + x2 w2 - y)^2.
"""
import itertools
import math


def times(a, b):
    return [[sum(a[i][k] * b[k][j] for k in range(2)) for j in range(2)] for i in range(2)]


def apply(matrix, vector):
    return [sum(matrix[i][j] * vector[j] for j in range(2)) for i in range(2)]


def largest_factor(matrix):
    """The most by which the matrix lengthens a vector."""
    square = times([list(column) for column in zip(*matrix)], matrix)
    mean, product = (square[0][0] + square[1][1]) / 2, square[0][0] * square[1][1] - square[0][1] * square[1][0]
    return math.sqrt(mean + math.sqrt(max(0.0, mean * mean - product)))


def least_squares(rows):
    a, b, c = (sum(row[i] * row[j] for row in rows) for i, j in ((0, 0), (0, 1), (1, 1)))
    u, v = (sum(row[i] * row[2] for row in rows) for i in (0, 1))
    return [(u * c - v * b) / (a * c - b * b), (v * a - u * b) / (a * c - b * b)]


def epoch_of_updates(batches, best, rate):
    """An epoch maps the distance e of the weights from the best ones to M e + b. Returns M and b."""
    matrix, offset = [[1, 0], [0, 1]], [0, 0]
    for batch in batches:
        step = [[(i == j) - rate * sum(2 * row[i] * row[j] for row in batch) / len(batch) for j in range(2)]
                for i in range(2)]
        pull = [rate * sum(2 * row[i] * (row[2] - row[0] * best[0] - row[1] * best[1]) for row in batch) / len(batch)
                for i in range(2)]
        matrix = times(step, matrix)
        offset = [moved + pulled for moved, pulled in zip(apply(step, offset), pull)]
    return matrix, offset


def furthest(rows, size, best, rate):
    """How far updates on `size` rows at a constant rate can keep the weights from the best ones, whatever the order of
    rows. With M and b of epoch_of_updates(), |e| becomes at most |M| |e| + |b|, so in the end |b| / (1 - |M|) at most.
    Returns this bound, and the largest |M|."""
    maps = [epoch_of_updates([order[n:n + size] for n in range(0, len(rows), size)], best, rate)
            for order in itertools.permutations(rows)]
    shrinks = max(largest_factor(matrix) for matrix, _ in maps)
    return max(math.hypot(*offset) for _, offset in maps) / (1 - shrinks), shrinks
