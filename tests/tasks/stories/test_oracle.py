"""The oracles: a story for each bAbI task with its answers by the letter, and the public files where they are given."""

import os

import pytest

from memtape.tasks.stories.babi_files import TASKS, babi_stories
from memtape.tasks.stories.babi_format import stories_in
from memtape.tasks.stories.oracle import ORACLES, is_right

DATA_DIR = os.environ.get("MEMTAPE_DATA_DIR", "")

LETTER = {
    1: """
        Mary moved to the office. | John went back to the garden. | Where is Mary? office
        Mary journeyed to the kitchen. | John travelled to the hall. | Where is Mary? kitchen | Where is John? hall
    """,
    2: """
        Mary got the milk there. | Mary went to the office. | Where is the milk? office
        Mary moved to the garden. | Mary put down the milk. | Mary went back to the hall. | Where is the milk? garden
        John went to the garden. | John took the milk there. | Where is the milk? garden
        John went to the office. | Mary discarded the apple there. | Where is the milk? office
    """,
    3: """
        Mary moved to the hall. | Mary took the milk. | Mary moved to the office. | Mary went to the garden.
        Where was the milk before the garden? office | Where was the milk before the office? hall
        Mary went back to the office. | Mary dropped the milk there. | Mary travelled to the bathroom.
        Where was the milk before the office? garden | John went to the office. | John picked up the milk.
        John went to the bathroom. | Where was the milk before the bathroom? office
    """,
    4: """
        The office is north of the kitchen. | The kitchen is north of the garden.
        What is north of the kitchen? office | What is the kitchen north of? garden | What is the garden south of? kitchen
        What is the kitchen south of? office | What is south of the kitchen? garden | What is the office north of? kitchen
    """,
    5: """
        Bill gave the milk to Fred. | Fred handed the milk to Jeff. | Jeff passed the milk to Fred.
        Bill gave the apple to Jeff. | Bill gave the football to Jeff. | Fred dropped the milk.
        What did Bill give to Fred? milk | Who received the milk? Fred | Who gave the milk? Jeff
        Who gave the apple? Bill | Who did Fred give the milk to? Jeff | Who gave the milk to Jeff? Fred
        What did Bill give to Jeff? football
    """,
    6: """
        Mary went to the hall. | Mary got the apple there. | Is Mary in the hall? yes | Is Mary in the office? no
        Mary moved to the office. | Is Mary in the hall? no | Is Mary in the office? yes
    """,
    7: """
        Mary got the apple there. | Mary took the milk. | How many objects is Mary carrying? two
        Mary gave the apple to John. | How many objects is Mary carrying? one | How many objects is John carrying? one
        Mary left the milk. | How many objects is Mary carrying? none | John picked up the milk.
        John grabbed the football there. | How many objects is John carrying? three
    """,
    8: """
        Mary got the milk there. | Mary got the apple. | What is Mary carrying? milk,apple
        Mary dropped the milk. | What is Mary carrying? apple | Mary got the milk. | What is Mary carrying? milk,apple
        Mary left the apple there. | Mary put down the milk. | What is Mary carrying? nothing
    """,
    9: """
        Mary is in the hall. | Is Mary in the hall? yes | Mary is no longer in the hall. | Is Mary in the hall? no
        Mary went to the office. | Is Mary in the office? yes | John is not in the office. | Is John in the office? no
        Is Mary in the hall? no
    """,
    10: """
        Mary is either in the hall or the office. | Is Mary in the hall? maybe | Is Mary in the office? maybe
        Is Mary in the garden? no | Mary went to the hall. | Is Mary in the hall? yes | Is Mary in the office? no
    """,
    11: """
        Mary went to the hall. | Then she went to the office. | Where is Mary? office | John went to the garden.
        After that he moved to the hall. | Following that he moved to the garden. | Where is John? garden
        Where is Mary? office
    """,
    12: """
        Mary and John went to the hall. | John and Sandra moved to the office. | Where is Mary? hall
        Where is John? office | Where is Sandra? office
    """,
    13: """
        Mary and John went to the hall. | Afterwards they moved to the office. | Sandra and John went to the garden.
        Where is Mary? office | Where is John? garden | Following that they moved to the hall. | Where is Sandra? hall
        Where is Mary? office
    """,
    14: """
        This evening Mary went to the park. | Mary went to the school yesterday. | John went to the hall this morning.
        Where was Mary before the park? school | Mary moved to the park this morning.
        Mary journeyed to the cinema this afternoon. | Where was Mary before the park? cinema
        Where was Mary before the cinema? park
    """,
    15: """
        Mice are afraid of wolves. | Gertrude is a mouse. | Wolves are afraid of sheep. | Emily is a wolf.
        Sheep are afraid of mice. | Jessica is a sheep. | What is gertrude afraid of? wolf
        What is emily afraid of? sheep | What is jessica afraid of? mouse
    """,
    16: """
        Lily is a frog. | Lily is green. | Brian is a frog. | Julius is a lion. | Brian is gray. | Julius is white.
        Greg is a frog. | Bernhard is a lion. | What color is Greg? gray | What color is Bernhard? white
    """,
    17: """
        The red square is to the left of the triangle. | The pink rectangle is below the red square.
        Is the triangle above the pink rectangle? yes | Is the pink rectangle to the left of the triangle? yes
        Is the triangle to the left of the pink rectangle? no | Is the pink rectangle above the triangle? no
        Is the red square above the triangle? no | Is the red square below the triangle? no
    """,
    18: """
        The box of chocolates fits inside the box. | The chest is bigger than the box. | The chest fits inside the container.
        Does the box of chocolates fit in the container? yes | Is the box bigger than the chest? no
        Is the container bigger than the box? yes | Does the chest fit in the box of chocolates? no
    """,
    19: """
        The office is east of the hall. | The kitchen is north of the office. | The garden is west of the hall.
        How do you go from the hall to the kitchen? e,n | How do you go from the kitchen to the hall? s,w
        How do you go from the garden to the office? e,e
    """,
    20: """
        Sumit is tired. | Where will sumit go? bedroom | Yann is thirsty. | Sumit went back to the bedroom.
        Why did sumit go to the bedroom? tired | Where will yann go? kitchen | Sumit grabbed the pajamas there.
        Why did sumit get the pajamas? tired | Antoine is hungry. | Jason is bored. | Where will antoine go? kitchen
        Where will jason go? garden
    """,
}


def story_of(text):
    """Return the story whose lines are separated by bars or line ends; an answer follows its question mark."""
    lines = [line.strip() for line in text.strip().replace("\n", "|").split("|")]
    numbered = (f"{number + 1} {line.replace('? ', '?' + chr(9))}\n" for number, line in enumerate(lines))
    (story,) = stories_in("".join(numbered), "the story")
    return story


@pytest.mark.parametrize("task", TASKS)
def test_the_answers_of_a_story_are_found(task):
    story = story_of(LETTER[task])
    found = [ORACLES[task](story.sentences[: asked.position], asked.words) for asked in story.questions]
    assert found == [asked.answer.lower() for asked in story.questions]
    assert all(is_right(task, story, asked) for asked in story.questions)


def test_a_wrong_answer_is_not_right():
    story = story_of("Mary moved to the office. | Where is Mary? garden")
    assert not is_right(1, story, story.questions[0])


@pytest.mark.skipif(not DATA_DIR, reason="needs the public files in the folder that MEMTAPE_DATA_DIR names")
@pytest.mark.parametrize("task", TASKS)
def test_the_questions_of_the_public_files_are_answered(task):
    stories = [*babi_stories(DATA_DIR, task, "test"), *babi_stories(DATA_DIR, task, "train")]
    right = [is_right(task, story, asked) for story in stories for asked in story.questions]
    assert len(right) == 2_000
    assert sum(right) == (1_996 if task == 5 else 2_000)
