"""Clusters: an automaton whose states are clusters of the hidden states of a network."""

from collections.abc import Iterator, Sequence
from itertools import count, takewhile

import torch
from jaxtyping import Float, Int
from torch import Tensor

from memtape.automata.definitions.dfa import DFA
from memtape.automata.extraction.oracle import Numbers, Oracle

ROUNDS = 50
"""Most iterations of k-means."""

DECIMALS = 4
"""Decimals to which states of saturated networks are equal."""


def k_means(points: Float[Tensor, "points size"], clusters: int, *, seed: int = 0) -> Int[Tensor, " points"]:
    """Return the cluster of each point by Lloyd's algorithm from distant initial centres.

    Args:
        points: the points.
        clusters: number of clusters, at most the number of points.
        seed: seed of the initial centres.

    References:
        Lloyd (1982), "Least squares quantization in PCM", IEEE Transactions on Information Theory 28,
        doi:10.1109/TIT.1982.1056489; Arthur & Vassilvitskii (2007), "k-means++: the advantages of careful seeding", Proceedings
        of SODA.
    """
    generator = torch.Generator().manual_seed(seed)
    centres = points[torch.randint(len(points), (1,), generator=generator)]
    for _ in range(clusters - 1):
        distance = torch.cdist(points, centres).amin(dim=1).square() + 1e-12
        centres = torch.cat([centres, points[torch.multinomial(distance, 1, generator=generator)]])
    labels = torch.cdist(points, centres).argmin(dim=1)
    for _ in range(ROUNDS):
        counts = torch.bincount(labels, minlength=clusters)[:, None]
        sums = torch.zeros_like(centres).index_add_(0, labels, points)
        centres = torch.where(counts > 0, sums / counts.clamp(min=1), centres)
        before, labels = labels, torch.cdist(points, centres).argmin(dim=1)
        if torch.equal(before, labels):
            break
    return labels


def clusters_of(points: Float[Tensor, "points size"], most: int, *, seed: int = 0) -> Iterator[Int[Tensor, " points"]]:
    """Yield the cluster of each point for growing numbers of clusters: 1, 2, 4, and so on.

    If there are few different points, as in a saturated network, each one is a cluster, and that is the only choice.

    Args:
        points: the points; without points there is one choice, without clusters.
        most: largest number of clusters.
        seed: seed of k-means.
    """
    distinct, exact = (points * 10**DECIMALS).round().unique(dim=0, return_inverse=True)
    if len(distinct) <= most:
        yield exact
        return
    for clusters in [*takewhile(lambda size: size < most, (2**power for power in count())), most]:
        yield k_means(points, clusters, seed=seed)


def from_clusters(oracle: Oracle, words: Sequence[Numbers], *, most_states: int, seed: int = 0) -> tuple[DFA, bool]:
    """Return an automaton whose states are clusters of hidden states, with the most frequent transitions between them.

    The number of clusters is doubled until the automaton agrees with the network on all words.

    Args:
        oracle: the network.
        words: the words whose hidden states are used; none is empty.
        most_states: largest number of clusters.
        seed: seed of k-means.

    Returns:
        The automaton with the highest agreement, and whether the agreement is complete.

    References:
        Omlin & Giles (1996), "Extraction of rules from discrete-time recurrent neural networks", Neural Networks 9,
        doi:10.1016/0893-6080(95)00086-0; k-means in place of their grid.
    """
    first, states = oracle.states(words)
    points, sources, symbols = [first], [], []
    prefixes: list[Numbers] = [()]
    for row, word in enumerate(words):
        for step, symbol in enumerate(word):
            sources.append(len(points) - 1 if step else 0)
            symbols.append(symbol)
            points.append(states[row, step])
            prefixes.append(word[: step + 1])
    vectors = torch.stack(points)
    answers = torch.tensor(oracle.accepts(prefixes))
    best: tuple[float, DFA] | None = None
    for labels in clusters_of(vectors, most_states, seed=seed):
        dfa = _automaton(labels, answers, torch.tensor(sources), torch.tensor(symbols), oracle.symbols)
        agreed = [dfa.accepts([oracle.symbols[number] for number in word]) for word in words]
        agreement = sum(map(bool.__eq__, agreed, oracle.accepts(words))) / len(words)
        if best is None or agreement > best[0]:
            best = agreement, dfa
        if agreement == 1:
            break
    assert best is not None
    return best[1], best[0] == 1


def _automaton(labels: Tensor, answers: Tensor, sources: Tensor, symbols: Tensor, alphabet: Sequence[str]) -> DFA:
    """Return the automaton of the majority of answers and transitions; the first point is the start."""
    number, letters = int(labels.max()) + 1, len(alphabet)
    order = torch.arange(number)
    order[0], order[labels[0]] = labels[0].clone(), 0  # the start is state 0
    labels = order[labels]
    moves = torch.zeros(number * letters * number, dtype=torch.long)
    flat = (labels[sources] * letters + symbols) * number + labels[1:]
    moves += torch.bincount(flat, minlength=len(moves))
    table = moves.reshape(number, letters, number)
    unseen = table.sum(dim=2, keepdim=True) == 0
    table = table + unseen * torch.eye(number, dtype=torch.long)[:, None]
    votes = torch.zeros(number).index_add_(0, labels, answers.float() - 0.5)
    return DFA.from_table(table.argmax(dim=2).tolist(), set(torch.nonzero(votes > 0)[:, 0].tolist()), alphabet=alphabet)
