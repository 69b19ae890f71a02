"""Article wording: the facts about a film, a person or a town, in the words of articles and of questions."""

from dataclasses import dataclass

JOBS = ("painter", "doctor", "baker", "pilot", "teacher", "farmer", "judge", "singer", "sailor", "gardener", "tailor")
GOODS = ("cheese", "glass", "boats", "wool", "clocks", "salt", "paper", "pottery", "honey", "shoes", "tea")
YEARS = tuple(str(year) for year in range(1900, 2000))


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation of the subject of an article to an object.

    Attributes:
        kind: the kind of the object: "film", "person", "town" or "river" for a name, or one of those in `LISTS`.
        statements: sentences of the article, with {o} for the object.
        forward: questions for the object, with {s} for the subject.
        backward: questions for the subject, with {o} for the object.
    """

    kind: str
    statements: tuple[str, ...]
    forward: tuple[str, ...]
    backward: tuple[str, ...]


LISTS = {"job": JOBS, "goods": GOODS, "year": YEARS}
"""The objects that have no article."""

FILM = (
    Relation(
        kind="person",
        statements=(
            "it was directed by {o}",
            "its director was {o}",
            "{o} made the film in one summer",
            "behind the camera was {o}",
        ),
        forward=("who directed {s}", "who was the director of {s}", "who made the film {s}"),
        backward=("which film did {o} direct", "which film was made by {o}", "what film has {o} as its director"),
    ),
    Relation(
        kind="person",
        statements=(
            "the leading part is played by {o}",
            "it stars {o}",
            "{o} is on the screen from the first minute to the last",
            "its hero is played by {o}",
        ),
        forward=("who stars in {s}", "who plays the leading part in {s}", "who is the hero of {s}"),
        backward=(
            "which film stars {o}",
            "in which film does {o} play the leading part",
            "what film has {o} as its hero",
        ),
    ),
    Relation(
        kind="town",
        statements=(
            "its story takes place in {o}",
            "it is set in {o}",
            "{o} is where the story happens",
            "all streets in it are those of {o}",
        ),
        forward=("where is {s} set", "in which town does the story of {s} take place", "where does {s} happen"),
        backward=("which film is set in {o}", "which film takes place in {o}", "what film shows the streets of {o}"),
    ),
    Relation(
        kind="year",
        statements=(
            "it was released in {o}",
            "it came out in {o}",
            "cinemas showed it first in {o}",
            "{o} was the year of its first night",
        ),
        forward=("when was {s} released", "in which year did {s} come out", "when was {s} first shown"),
        backward=("which film was released in {o}", "which film came out in {o}", "what film was first shown in {o}"),
    ),
)

PERSON = (
    Relation(
        kind="town",
        statements=(
            "{p} was born in {o}",
            "{p} came to the world in {o}",
            "{o} was the place of birth",
            "the cradle was in {o}",
        ),
        forward=("where was {s} born", "what is the place of birth of {s}", "in which town was {s} born"),
        backward=("who was born in {o}", "whose place of birth is {o}", "which person comes from {o}"),
    ),
    Relation(
        kind="person",
        statements=(
            "the mother of the family was {o}",
            "{p} was a child of {o}",
            "{o} was proud of her child",
            "{p} called {o} mother",
        ),
        forward=("who was the mother of {s}", "whose child was {s}", "whom did {s} call mother"),
        backward=("who was a child of {o}", "whose mother was {o}", "which person called {o} mother"),
    ),
    Relation(
        kind="person",
        statements=(
            "{p} learned everything from {o}",
            "{p} went to the lessons of {o}",
            "{o} was the master of the young pupil",
            "{p} was a pupil of {o}",
        ),
        forward=("who gave lessons to {s}", "who was the master of {s}", "from whom did {s} learn"),
        backward=("who was a pupil of {o}", "who learned from {o}", "who went to the lessons of {o}"),
    ),
    Relation(
        kind="job",
        statements=(
            "{p} worked as a {o}",
            "{p} was a {o} by profession",
            "{p} earned a living as a {o}",
            "a {o} by day and a reader by night",
        ),
        forward=("what was the profession of {s}", "as what did {s} work", "how did {s} earn a living"),
        backward=("who worked as a {o}", "who was a {o}", "who earned a living as a {o}"),
    ),
)

TOWN = (
    Relation(
        kind="river",
        statements=(
            "it lies on the river {o}",
            "the river {o} flows through it",
            "{o} is the name of the water under its bridges",
            "its bridges cross the {o}",
        ),
        forward=("on which river is {s}", "what river flows through {s}", "what do the bridges of {s} cross"),
        backward=("which town lies on the {o}", "through which town does the {o} flow", "which bridges cross the {o}"),
    ),
    Relation(
        kind="person",
        statements=(
            "its mayor is {o}",
            "{o} was elected mayor",
            "the office in the town hall is that of {o}",
            "it is led by {o}",
        ),
        forward=("who is the mayor of {s}", "who leads {s}", "whose office is in the town hall of {s}"),
        backward=("of which town is {o} the mayor", "which town is led by {o}", "where was {o} elected"),
    ),
    Relation(
        kind="year",
        statements=(
            "it was founded in {o}",
            "its first houses are from {o}",
            "the oldest stone bears the number {o}",
            "{o} was the year of its foundation",
        ),
        forward=("when was {s} founded", "in which year were the first houses of {s} built", "how old is {s}"),
        backward=("which town was founded in {o}", "which town is from {o}", "what town has houses from {o}"),
    ),
    Relation(
        kind="goods",
        statements=(
            "its people sell {o}",
            "it is known for its {o}",
            "{o} comes from its workshops",
            "ships carry its {o} to the sea",
        ),
        forward=("what is {s} known for", "what do the people of {s} sell", "what comes from {s}"),
        backward=("which town is known for its {o}", "which town sells {o}", "from where does the {o} come"),
    ),
)

RELATIONS = {"film": FILM, "person": PERSON, "town": TOWN}
"""The relations of each kind of article."""

REMARKS = {
    "film": ("critics liked it", "few copies of it are left", "its music is still played", "it is in black and white"),
    "person": ("{p} never travelled far", "{p} liked dogs", "letters of those years are lost", "{p} died at home"),
    "town": ("it has two schools", "winters in it are long", "the market is in the morning", "it has no airport"),
}
"""Sentences of each kind of article that no question is about."""
