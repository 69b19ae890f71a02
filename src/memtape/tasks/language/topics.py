"""Topics: generate documents in which few words, at any place, belong to the topic."""

import torch

TOPICS = (
    ("match", "goal", "team", "season", "coach", "league", "score", "player", "final", "race"),
    ("market", "share", "price", "bank", "profit", "trade", "stock", "rate", "sale", "debt"),
    ("planet", "cell", "theory", "virus", "orbit", "gene", "atom", "fossil", "sensor", "climate"),
    ("minister", "vote", "treaty", "border", "law", "party", "senate", "envoy", "council", "reform"),
)
_COMMON = (
    "the of to and in that it is was for on are as with his they at be this from have or by one had not but what all were when"
    " we there can an your which their if do will each about how up out them then she many some so these would other into"
    " has more her two like him see time could no make than first been its who now people my made over did down only way find"
    " use may water long little very after words called just where most know before again any"
)
COMMON = tuple(_COMMON.split())
WORDS, OWN, OTHER = 100, 4, 2
"""Words of a document, words of its topic, and words of each other topic."""


def topical_documents(count: int, generator: torch.Generator) -> tuple[list[list[str]], list[int]]:
    """Draw documents and their topics.

    A document has 100 words: four of its topic, two of each of the other three topics, at random places, and common words
    elsewhere. The topic is that with the most words.

    Args:
        count: number of documents.
        generator: source of randomness.
    """

    def choice(words: tuple[str, ...], many: int) -> list[str]:
        return [words[place] for place in torch.randint(len(words), (many,), generator=generator).tolist()]

    topics = torch.randint(len(TOPICS), (count,), generator=generator).tolist()
    documents = []
    for own in topics:
        topical = [word for topic, words in enumerate(TOPICS) for word in choice(words, OWN if topic == own else OTHER)]
        words = topical + choice(COMMON, WORDS - len(topical))
        documents.append([words[place] for place in torch.randperm(WORDS, generator=generator).tolist()])
    return documents, topics
