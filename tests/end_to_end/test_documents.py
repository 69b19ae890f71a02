"""The documents are up to date: their tables equal the ledger, and results have the documented form."""

import importlib.util
import json
import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest

from memtape import cells
from memtape.catalog.registry import MODELS, RECIPES, TASKS
from memtape.experiments.experiment import Experiment
from memtape.experiments.ledger import Result
from memtape.experiments.sweep.search_space import Space
from memtape.training.settings import TrainSettings

ROOT = Path(__file__).parents[2]
RESULTS = sorted(path for path in (ROOT / "results").glob("*/*.json") if path.parent.name in MODELS)


def test_tables_in_documents_equal_the_ledger():
    spec = importlib.util.spec_from_file_location("tables", ROOT / "docs" / "tables.py")
    tables = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tables)
    blocks = [block for path in tables.DOCUMENTS for block in tables.BLOCK.findall(path.read_text())]
    assert blocks
    for path in tables.DOCUMENTS:
        document = path.read_text()
        assert tables.with_tables(document) == document, f"{path.name} is out of date; run python docs/tables.py"
        assert document.count("<!-- results:") == 2 * len(tables.BLOCK.findall(document))


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_result_records_the_command_the_hardware_and_the_outcome_of_each_seed(path):
    result = Result(**json.loads(path.read_text()))
    assert result.recipe == f"{path.parent.name}/{path.stem}"
    recipe = RECIPES[result.recipe]
    assert (recipe.model, recipe.task) == (result.model, result.task)
    assert result.command.startswith(f"memtape reproduce {result.recipe} --seeds ")
    reads_data = any(option.name == "data_dir" for option in TASKS[result.task].options)
    assert result.data in (("real", "synthetic") if reads_data else (None,))
    assert ("--data-dir" in result.command) == (result.data == "real")
    for seed in result.seeds:
        assert {"seed", "solved", "steps", "sequences", "seconds", "metrics"} <= set(seed)


def test_every_result_has_a_recipe():
    models = {path.parent.name for path in (ROOT / "results").glob("*/*.json")}
    assert models - set(MODELS) == {"lengths", "precision", "speed"}


def test_every_cell_and_every_model_is_in_a_chapter():
    chapters = "".join(path.read_text() for path in (ROOT / "docs" / "models").glob("*.md"))
    assert [name for name in MODELS if f"`{name}`" not in chapters] == []
    composing = (ROOT / "docs" / "guides" / "composing.md").read_text()
    assert [name for name in cells.__all__ if f"`{name}`" not in chapters + composing] == []


def test_every_task_is_described():
    pages = "".join(path.read_text() for path in (ROOT / "docs" / "tasks").glob("*.md"))
    described = {name: f"**`{name}`**, `{task.class_name}`" for name, task in TASKS.items()}
    assert [name for name, words in described.items() if words not in pages] == []


def test_the_space_in_the_document_is_valid(tmp_path):
    (block,) = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "guides" / "sweeps.md").read_text(), re.DOTALL)
    (tmp_path / "space.toml").write_text(block)
    experiment = Experiment(model="ntm", task="copy", model_options={}, task_options={}, train=TrainSettings())
    space = Space.read(tmp_path / "space.toml", experiment)
    assert space.trials == 4
    assert space.options.keys() == {"model.controller_size", "train.learning_rate", "train.optimizer"}


def test_every_tracker_has_an_extra_that_the_document_names():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    document = (ROOT / "docs" / "guides" / "tracking.md").read_text()
    for name in set(get_args(TrainSettings.__annotations__["tracker"])) - {"none"}:
        command, wanted = extras[name]
        assert command == "memtape[cli]"
        assert wanted.startswith(f"{name}>=")
        assert f'| `{name}` | `pip install "memtape[{name}]"` |' in document


def test_the_main_result_reaches_its_goal():
    """Seven of ten seeds have no wrong bits up to length 20, the demo's seed at most one at 50, in ten minutes each."""
    seeds = json.loads((ROOT / "results" / "ntm" / "copy.json").read_text())["seeds"]
    assert [seed["seed"] for seed in seeds] == list(range(10))
    perfect = [seed for seed in seeds if seed["metrics"]["wrong_bits_10"] == seed["metrics"]["wrong_bits_20"] == 0]
    assert len(perfect) >= 7
    assert seeds[0]["metrics"]["wrong_bits_50"] <= 1
    assert all(seed["seconds"] <= 600 for seed in seeds)


def test_generated_files_are_up_to_date_with_the_cards():
    """`python docs/generated.py` writes them."""
    spec = importlib.util.spec_from_file_location("generated", ROOT / "docs" / "generated.py")
    generated = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generated)
    for path, text in generated.pages().items():
        assert path.read_text() == text, f"{path} is out of date; run `python docs/generated.py`"
