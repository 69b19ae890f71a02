"""Search space: the options that a file varies, and invalid files."""

import pytest

from memtape.experiments.experiment import Experiment, ExperimentError
from memtape.experiments.sweep.search_space import Choices, Range, Space, SpaceError, with_options
from memtape.training.settings import TrainSettings

EXPERIMENT = Experiment(
    model="ntm",
    task="copy",
    model_options={"slots": 6, "width": 4, "controller_size": 8},
    task_options={"max_length": 3},
    train=TrainSettings(),
)


def read(tmp_path, text):
    file = tmp_path / "space.toml"
    file.write_text(text)
    return Space.read(file, EXPERIMENT)


def test_lists_are_choices_and_tables_are_ranges(tmp_path):
    space = read(
        tmp_path,
        """
        trials = 20
        [model]
        controller = ["lstm", "gru"]
        slots = { low = 4, high = 16, log = true }
        sequential_heads = [true, false]
        [task]
        max_length = [3, 5]
        [train]
        learning_rate = { low = 1e-4, high = 1, log = true }
        curriculum_max = { low = 1, high = 3 }
        """,
    )
    assert space.trials == 20
    assert type(space.options["train.learning_rate"].high) is float
    assert space.options == {
        "model.controller": Choices(values=("lstm", "gru")),
        "model.slots": Range(low=4, high=16, log=True, integer=True),
        "model.sequential_heads": Choices(values=(True, False)),
        "task.max_length": Choices(values=(3, 5)),
        "train.learning_rate": Range(low=1e-4, high=1.0, log=True, integer=False),
        "train.curriculum_max": Range(low=1, high=3, log=False, integer=True),
    }


def test_values_are_set_in_an_experiment():
    changed = with_options(EXPERIMENT, {"model.slots": 9, "task.bits": 2, "train.learning_rate": 0.25})
    assert changed.model_options == {"slots": 9, "width": 4, "controller_size": 8}
    assert changed.task_options == {"max_length": 3, "bits": 2}
    assert changed.train == TrainSettings(learning_rate=0.25)
    assert EXPERIMENT.train == TrainSettings()
    with pytest.raises(ExperimentError, match="learning_rate is -1"):
        with_options(EXPERIMENT, {"train.learning_rate": -1})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[model", "is not TOML"),
        ("trials = 2\n[train]\nsteps = " + "[" * 2000, r"is not TOML \(maximum recursion depth"),
        ("trials = 2\n[train]\nsteps = [1" + "0" * 5000 + "]", r"is not TOML \(Exceeds the limit"),
        ("trials = 2\n#" + "x" * 2**20, r"has more than 1048576 bytes; give --space one with options only"),
        (f"trials = 2\n[train]\nsteps = {{low = 1, high = {10**400}}}", "an integer in a space is at most 9007199"),
        (f"trials = 2\n[train]\nlearning_rate = {{low = 1, high = {10**400}}}", "an integer in a space is at most"),
        (f"trials = 2\n[train]\nlearning_rate = [0.1, {10**400}]", "an integer in a space is at most"),
        ("trials = 2\n[train]\nlearning_rate = [0.5, 1, 1.0]", "has a value twice; name each value once"),
        (
            f"trials = 2\n[model]\ncontroller_size = [{10**15}]",
            r"model\.controller_size = 1000000000000000 in .* does not fit: ntm cannot be built with these options \(.*give",
        ),
        ("[model]\nslots = [4]", "trials in .* is None, but it must be an integer of at least 1"),
        ("trials = true\n[model]\nslots = [4]", "trials in .* is True"),
        ("trials = 0\n[model]\nslots = [4]", "trials in .* is 0"),
        ("trials = 2", "varies no option; write a table"),
        ("trials = 2\n[model]", "varies no option; write a table"),
        ("trials = 2\n[modle]\nslots = [4]", r'has a table \[modle\], but no experiment has; did you mean "model"\?'),
        ("trials = 2\nmodel = 3", r"model in .* is 3, but it must be a table; write \[model\] and its options"),
        ("trials = 2\n[model]\nslotz = [4]", r'no option "slotz" for \[model\] in .*; did you mean "slots"\?'),
        ("trials = 2\n[task]\nx = [4]", r'no option "x" for \[task\] in .*; the options are bits, min_length'),
        ("trials = 2\n[train]\nlearning_rat = [4]", 'did you mean "learning_rate"'),
        ("trials = 2\n[model]\nslots = 4", r"model\.slots in .* is 4, but it must be a list of values or a range"),
        ("trials = 2\n[model]\nslots = []", r"model\.slots in .* is \[\], but it must be a list of values or a range"),
        ("trials = 2\n[model]\nslots = {low = 4}", "must be a list of values or a range"),
        ("trials = 2\n[model]\nslots = {low = 4, high = 5, step = 2}", "must be a list of values or a range"),
        ("trials = 2\n[model]\nslots = [4, 'many']", r"model\.slots in .* may be 'many', but it is an integer"),
        ("trials = 2\n[model]\nslots = [true]", "may be True, but it is an integer"),
        ("trials = 2\n[model]\nslots = {low = 4, high = 5.5}", r"ranges from 4 to 5\.5, but it is an integer"),
        ("trials = 2\n[model]\ncontroller = ['cnn']", "may be 'cnn', but it is one of lstm, "),
        ("trials = 2\n[model]\ncontroller = {low = 1, high = 2}", "ranges from 1 to 2, but it is one of lstm"),
        ("trials = 2\n[task]\nsame_length = {low = 0, high = 1}", "but it is true or false; give ends that fit"),
        ("trials = 2\n[train]\nlearning_rate = [nan]", "may be nan, but it is a number"),
        ("trials = 2\n[train]\nlearning_rate = {low = 2, high = 1}", "low must not be above high"),
        ("trials = 2\n[train]\nmomentum = {low = 0, high = 0.9, log = true}", "positive where log is true"),
        ("trials = 2\n[train]\nmomentum = {low = 0.1, high = 0.9, log = 1}", "with log = 1"),
        (
            "trials = 2\n[train]\nmomentum = {low = 0.5, high = 1}",
            r"train\.momentum = 1.0 in .* does not fit: .*momentum",
        ),
        ("trials = 2\n[model]\nslots = [4, 0]", r"model\.slots = 0 in .* does not fit: slots of NTMCell is 0"),
        ("trials = 2\n[task]\nbits = {low = 0, high = 4}", r"task\.bits = 0 in .* does not fit: bits is 0"),
    ],
)
def test_an_invalid_space_is_refused_with_one_sentence(tmp_path, shapes_unchecked, text, sentence):
    with pytest.raises(SpaceError, match=sentence):
        read(tmp_path, text)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SpaceError, match=r"nothing\.toml cannot be read \(No such file or directory\); give --space"):
        Space.read(tmp_path / "nothing.toml", EXPERIMENT)
