"""Edit distance: the number of insertions, deletions and substitutions between two sequences."""

from collections.abc import Sequence


def edit_distance(first: Sequence[int], second: Sequence[int]) -> int:
    """Return the smallest number of insertions, deletions and substitutions that turn one sequence into the other.

    References:
        Levenshtein (1966), "Binary codes capable of correcting deletions, insertions, and reversals", Soviet Physics
        Doklady 10.
    """
    row = list(range(len(second) + 1))
    for i, one in enumerate(first, 1):
        before, row = row, [i]
        for j, other in enumerate(second, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (one != other)))
    return row[-1]
