"""Candidate sentences: those of all documents that share words with a question, which are its memory."""

import math
from collections import defaultdict
from collections.abc import Set

import torch
from jaxtyping import Int
from torch import Tensor

from memtape.core.inputs.stories import NONE
from memtape.tasks.stories.documents.document import Collection
from memtape.tasks.stories.story import Sentence

RARE = 1e4
"""Weight of a rare word, above the sum of the weights of all other words of a sentence."""


def titled_sentences(collection: Collection) -> tuple[Sentence, ...]:
    """Return the sentences of all documents, each after its title."""
    return tuple((found.title, *words) for found in collection.documents for words in found.sentences)


def candidates(
    collection: Collection, rare: Set[str], most: int
) -> tuple[Int[Tensor, "questions most"], Int[Tensor, " questions"]]:
    r"""Return the sentences that the memory of each question holds, and the place of the one that it is about.

    Sentences that share more rare words with the question come first, and among equal ones those with the larger

    $$\sum_{w \in x \cap s} \log \frac{N}{n_w}$$

    over all shared words, for $n_w$ of $N$ sentences with the word $w$. Sentences without a shared word are not chosen. This
    is key hashing with a fixed number of keys. The chosen sentences are in the order of the documents.

    Args:
        collection: the documents and questions.
        rare: words that are in few documents.
        most: the largest number of sentences of a question.

    Returns:
        The numbers of the sentences, after them `NONE`; and the index among these of the sentence that the question is
        about, `NONE` if it is not chosen.

    References:
        Miller et al. (2016), "Key-value memory networks for directly reading documents", arXiv:1606.03126, section 3.1.
    """
    sentences = titled_sentences(collection)
    first = [0]
    for document in collection.documents:
        first.append(first[-1] + len(document.sentences))
    holders: dict[str, list[int]] = defaultdict(list)
    for number, words in enumerate(sentences):
        for word in dict.fromkeys(words):
            holders[word].append(number)
    places = {word: torch.tensor(found) for word, found in holders.items()}
    # Earlier sentences win among equal ones.
    order = -1e-9 * torch.arange(len(sentences), dtype=torch.float64)
    found, about = torch.full((len(collection.questions), most), NONE), torch.full((len(collection.questions),), NONE)
    for row, question in enumerate(collection.questions):
        shared = torch.zeros(len(sentences), dtype=torch.float64)
        for word in dict.fromkeys(question.words):
            if word in places:
                shared[places[word]] += math.log(len(sentences) / len(places[word])) + RARE * (word in rare)
        number, line = question.place
        asked = first[number] + line
        if question.hidden:
            shared[asked] = 0
        best = (shared + order).topk(min(most, len(sentences))).indices
        chosen = best[shared[best] > 0].sort().values
        found[row, : len(chosen)] = chosen
        at = (chosen == asked).nonzero()
        if len(at):
            about[row] = at[0, 0]
    return found, about
