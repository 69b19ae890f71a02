"""Recipe reader: a recipe is read on first use, and extends at most one other; errors name its file and key."""

from dataclasses import replace

import pytest

from memtape.catalog.recipe_reader import RecipeError, RecipeTree, read_recipe
from memtape.catalog.registry import MODELS, TASKS
from memtape.experiments.reproduction import changed_options, experiment_of, options_of_each

BASE = "[model]\nslots = 32\nwidth = 8\n[train]\nlearning_rate = 1\n"


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "ntm").mkdir()
    return RecipeTree(tmp_path, MODELS, TASKS)


def written(tree, name, text):
    (tree.folder / f"{name}.toml").write_text(text)
    return tree


def test_a_recipe_that_extends_another_overrides_the_keys_it_names(tree):
    written(tree, "ntm/copy", f'{BASE}[published]\nsource = "a figure"\ncost_bits_10 = {{ ntm = 0.1 }}\n')
    recipe = written(tree, "ntm/copy-wide", 'extends = "ntm/copy"\nformerly = "wide"\n[model]\nwidth = 64\n')[
        "ntm/copy-wide"
    ]
    assert (recipe.model, recipe.task, recipe.formerly) == ("ntm", "copy", "wide")
    assert recipe.model_options == {"slots": 32, "width": 64}
    assert recipe.train == {"learning_rate": 1.0}
    assert isinstance(recipe.train["learning_rate"], float)
    assert recipe.published == {"cost_bits_10": {"ntm": 0.1}}
    assert recipe.source == "a figure"


def test_published_numbers_of_a_recipe_replace_all_those_of_the_recipe_it_extends(tree):
    written(tree, "ntm/copy", '[published]\nsource = "a figure"\ncost_bits_10 = { ntm = 0.1 }\n')
    written(
        tree, "ntm/copy-wide", 'extends = "ntm/copy"\n[published]\nsource = "a table"\ncost_bits_20 = { ntm = 2 }\n'
    )
    assert tree["ntm/copy-wide"].published == {"cost_bits_20": {"ntm": 2}}
    assert tree["ntm/copy-wide"].source == "a table"


def test_only_the_requested_recipe_is_read(tree):
    written(tree, "ntm/copy", BASE)
    written(tree, "ntm/ngrams", "no TOML")
    assert list(tree) == ["ntm/copy", "ntm/ngrams"]
    assert len(tree) == 2
    assert "ntm/ngrams" in tree
    assert tree["ntm/copy"].model_options["slots"] == 32


def test_a_name_belongs_to_the_longest_task_name_that_is_its_prefix(tree):
    assert written(tree, "ntm/repeat-copy-dnc", "")["ntm/repeat-copy-dnc"].task == "repeat-copy-dnc"
    assert written(tree, "ntm/repeat-copy-dnx", "")["ntm/repeat-copy-dnx"].task == "repeat-copy"


@pytest.mark.parametrize("name", ["ntm/nothing", "../ntm/copy", "ntm", "ntm/copy/", 3])
def test_an_unknown_name_is_not_found(tree, name):
    written(tree, "ntm/copy", BASE)
    assert name not in tree
    assert tree.get(name) is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[modl]\n", 'copy.toml has the key "modl", but no recipe has; did you mean "model"?'),
        ("model = 3\n", "model in .*copy.toml is 3, but it must be a table; correct it there"),
        ("extends = 3\n", "extends in .*copy.toml is 3, but it must be a name in quotes"),
        ("[model]\nslotz = 3\n", r'no option "slotz" for \[model\] of .*copy.toml; did you mean "slots"\?'),
        ("[task]\nbitz = 3\n", r'no option "bitz" for \[task\] of .*copy.toml; did you mean "bits"\?'),
        ("[train]\nstepz = 3\n", r'no option "stepz" for \[train\] of .*copy.toml; did you mean "steps"\?'),
        ('[model]\nslots = "x"\n', r"slots in \[model\] of .*copy.toml is 'x', which is not a value of that option"),
        ("[train]\nsteps = 0\n", r"\[train\] of .*copy.toml cannot be used \(steps: Input should be greater"),
        (
            'extends = "ntm/nothing"\n',
            "copy.toml extends 'ntm/nothing', which is not a recipe; `memtape recipes` lists them",
        ),
        ('extends = "ntm/../ntm/ngrams"\n', "copy.toml extends 'ntm/../ntm/ngrams', which is not a recipe"),
        (
            'extends = "ntm/copy"\n',
            "copy.toml extends ntm/copy, which extends ntm/copy; a recipe extends one that extends no",
        ),
        ('extends = "ntm/ngrams"\n', "copy.toml extends ntm/ngrams, which extends ntm/copy; a recipe extends one that"),
        ("[published]\ncost_bits_10 = { ntm = 1 }\n", r"\[published\] of .*copy.toml has no source; name the paper"),
        (
            '[published]\nsource = "x"\ncost_bits_10 = 1\n',
            r"cost_bits_10 in \[published\] of .*copy.toml is 1, but it must be numbers by name; write \{ lstm = 0.5 \}",
        ),
        ("x = [", r"the recipe .*copy.toml is not TOML \("),
    ],
)
def test_an_invalid_recipe_is_refused_by_file_and_key(tree, text, sentence):
    written(tree, "ntm/ngrams", 'extends = "ntm/copy"\n')
    with pytest.raises(RecipeError, match=sentence):
        written(tree, "ntm/copy", text)["ntm/copy"]


def test_options_of_the_extended_recipe_must_be_valid_for_the_own_model(tree):
    (tree.folder / "lstm").mkdir()
    written(tree, "ntm/copy", BASE)
    with pytest.raises(RecipeError, match=r'no option "slots" for \[model\] of .*lstm/copy.toml'):
        written(tree, "lstm/copy", 'extends = "ntm/copy"\n')["lstm/copy"]


def test_a_recipe_of_an_unknown_model_or_task_is_refused(tree):
    with pytest.raises(RecipeError, match=r"ntm/coppy.toml names no known model and task; name it MODEL/TASK.toml"):
        written(tree, "ntm/coppy", "")["ntm/coppy"]


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(
        RecipeError, match=r"the recipe .*mine.toml cannot be read \(No such file.*\); give a TOML file"
    ):
        read_recipe(tmp_path / "mine.toml", name="mine", model=MODELS["ntm"], task=TASKS["copy"])


EACH = "[each.task]\nbits = [2, 3]\n"


def test_a_recipe_lists_the_values_with_which_it_is_reproduced(tree):
    written(tree, "ntm/copy", f'{EACH}[published]\nsource = "a table"\neach = {{ ntm = [0.1, 2] }}\n')
    assert tree["ntm/copy"].each == ("task.bits", (2, 3))
    assert tree["ntm/copy"].published_each == {"ntm": (0.1, 2.0)}
    assert tree["ntm/copy"].published == {}
    assert tree["ntm/copy"].each_with == {}
    written(tree, "ntm/copy-wide", 'extends = "ntm/copy"\n')
    assert (tree["ntm/copy-wide"].each, tree["ntm/copy-wide"].published_each) == (None, {})


def test_a_recipe_lists_further_options_beside_these_values(tree):
    written(tree, "ntm/copy", f"{EACH}max_length = [5, 5]\n[each.model]\nslots = [8, 9]\n")
    recipe = tree["ntm/copy"]
    assert (recipe.each, recipe.each_with) == (
        ("task.bits", (2, 3)),
        {"task.max_length": (5, 5), "model.slots": (8, 9)},
    )
    assert options_of_each(recipe) == (
        {"task.bits": 2, "task.max_length": 5, "model.slots": 8},
        {"task.bits": 3, "task.max_length": 5, "model.slots": 9},
    )
    assert changed_options(replace(experiment_of(recipe), model_options={"slots": 8}), recipe) == []
    assert changed_options(replace(experiment_of(recipe), model_options={"width": 3}), recipe) == ["model.width"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("each = 3\n", "each in .*copy.toml is 3, but it must be a table"),
        ("[each.task]\nbits = 3\n", r"\[each\] of .*copy.toml is .*, but it must be options with a list of values"),
        ("[each.task]\nbits = []\n", r"\[each\] of .*copy.toml is .*, but it must be options with a list of values"),
        ("[each]\nbits = [3]\n", r"\[each\] of .*copy.toml is .*, but it must be options with a list of values"),
        ("[each.task]\n", r"\[each\] of .*copy.toml is .*, but it must be options with a list of values"),
        (f"{EACH}max_length = 3\n", r"\[each\] of .*copy.toml is .*, but it must be options with a list of values"),
        (
            f"{EACH}max_length = [3]\n",
            r"copy.toml has 2 values of bits and 1 of max_length; give one of max_length for",
        ),
        (f"{EACH}max_length = [3, 0.5]\n", r"max_length in \[task\] of .*copy.toml is 0.5, which is not a value of"),
        ("[each.tsk]\nbits = [3]\n", r"\[each\] of .*copy.toml is .*, but it must be options with a list of values"),
        ("[each.task]\nbitz = [3]\n", r'no option "bitz" for \[task\] of .*copy.toml; did you mean "bits"\?'),
        ('[each.task]\nbits = ["x"]\n', r"bits in \[task\] of .*copy.toml is 'x', which is not a value of that option"),
        ("[each.task]\nbits = [3, 3]\n", r"\[each\] of .*copy.toml has a value of bits twice; name each value once"),
        (
            f'{EACH}[published]\nsource = "x"\neach = {{ ntm = [1] }}\n',
            r"copy.toml has lists of \[1\] numbers, but \[each\] has 2 values; give one number for each value",
        ),
        (
            f'{EACH}[published]\nsource = "x"\neach = {{ ntm = 1 }}\n',
            r"each in \[published\] of .*copy.toml is .*, but it must be lists of numbers by network",
        ),
    ],
)
def test_invalid_values_to_reproduce_with_are_refused_by_file(tree, text, sentence):
    with pytest.raises(RecipeError, match=sentence):
        written(tree, "ntm/copy", text)["ntm/copy"]
