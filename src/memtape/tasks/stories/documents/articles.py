"""Articles: short documents about films, persons and towns, with questions about their facts, by simulation."""

from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random

from memtape.tasks.stories.documents.article_wording import LISTS, RELATIONS, REMARKS, Relation
from memtape.tasks.stories.documents.document import Collection, Document, DocumentQuestion

CONSONANTS, VOWELS = "bdfgklmnprstvz", "aeiou"
SYLLABLES = 3


def names(count: int, random: Random) -> list[str]:
    """Return different names of three syllables.

    Args:
        count: how many, far fewer than the 343,000 that there are.
        random: source of all draws.
    """
    found: dict[str, None] = {}
    while len(found) < count:
        found["".join(random.choice(CONSONANTS) + random.choice(VOWELS) for _ in range(SYLLABLES))] = None
    return list(found)


def collection_of_articles(entities: Mapping[str, Sequence[str]], random: Random) -> Collection:
    """Return articles with random facts, and questions about these.

    An article has a sentence for each fact and one remark, in random order, and each sentence one of several wordings. Each
    fact gives a question for its object, "who directed ...?", and, if its subject is the only one with this object,
    a question for its subject, which is the title of the article, "which film did ... direct?".

    Args:
        entities: names of the kinds "film", "person", "town" and "river", the same number of each.
        random: source of all draws.
    """
    documents: list[Document] = []
    questions: list[DocumentQuestion] = []
    for kind, relations in RELATIONS.items():
        objects = [_objects(relation, kind, entities, random) for relation in relations]
        counts = [Counter(drawn) for drawn in objects]
        for subject, *own in zip(entities[kind], *objects, strict=True):
            pronoun = random.choice(("she", "he"))
            facts = list(zip(relations, own, counts, strict=True))
            lines = [random.choice(relation.statements).format(p=pronoun, o=found) for relation, found, _ in facts]
            lines.append(random.choice(REMARKS[kind]).format(p=pronoun))
            order = random.sample(range(len(lines)), len(lines))
            for number, (relation, found, count) in enumerate(facts):
                place = (len(documents), order.index(number))
                forward = random.choice(relation.forward).format(s=subject)
                questions.append(DocumentQuestion(tuple(forward.split()), found, "words", place))
                if count[found] == 1:
                    backward = random.choice(relation.backward).format(o=found)
                    questions.append(DocumentQuestion(tuple(backward.split()), subject, "titles", place))
            documents.append(Document(subject, tuple(tuple(lines[line].split()) for line in order)))
    return Collection(tuple(documents), tuple(questions))


def _objects(relation: Relation, kind: str, entities: Mapping[str, Sequence[str]], random: Random) -> list[str]:
    """Return the object of each subject of a kind: another name, each once, or any of a list."""
    subjects = entities[kind]
    if relation.kind in LISTS:
        return random.choices(LISTS[relation.kind], k=len(subjects))
    if relation.kind != kind:
        return random.sample(entities[relation.kind], len(subjects))
    circle = random.sample(subjects, len(subjects))
    following = dict(zip(circle, (*circle[1:], circle[0]), strict=True))
    return [following[subject] for subject in subjects]
