"""Motives: why people act; task 20."""

from random import Random

from memtape.tasks.stories.event import TOOK
from memtape.tasks.stories.generator.draft import Draft
from memtape.tasks.stories.generator.wording import moved
from memtape.tasks.stories.story import Story

PEOPLE = ("Antoine", "Jason", "Sumit", "Yann")
PLANS = {
    "bored": ("garden", "football"),
    "hungry": ("kitchen", "apple"),
    "thirsty": ("kitchen", "milk"),
    "tired": ("bedroom", "pajamas"),
}
"""The place and the object of each state."""


def motivation(random: Random) -> Story:
    """Generate a story of task 20: each person has a state, moves to a place, and takes an object there if it is left.

    Each sentence has a question: where will the person go, and why did the person go, or take the object?
    """
    state_of = {person: random.choice(tuple(PLANS)) for person in PEOPLE}
    steps_of = dict.fromkeys(PEOPLE, 0)
    stated_at: dict[str, int] = {}
    taken: set[str] = set()
    draft = Draft()
    while acting := [person for person in PEOPLE if _may_act(steps_of[person], PLANS[state_of[person]][1] in taken)]:
        person = random.choice(acting)
        name, state, index = person.lower(), state_of[person], len(draft.sentences)
        place, thing = PLANS[state]
        step = steps_of[person]
        steps_of[person] = step + 1
        if step == 0:
            stated_at[person] = index
            draft.state(f"{person} is {state}")
            draft.ask(f"Where will {name} go", place, (index,))
        elif step == 1:
            draft.state(f"{person} {moved(random, place)}")
            draft.ask(f"Why did {name} go to the {place}", state, (stated_at[person],))
        else:
            taken.add(thing)
            draft.state(f"{person} {random.choice(TOOK)} the {thing} there")
            draft.ask(f"Why did {name} get the {thing}", state, (stated_at[person],))
    return draft.story()


def _may_act(step: int, is_taken: bool) -> bool:
    return step < 2 or (step == 2 and not is_taken)
