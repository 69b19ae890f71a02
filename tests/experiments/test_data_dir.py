"""Data folder: the precedence of the options that name it."""

from pathlib import Path

import pytest

from memtape.experiments.data_dir import DataDirError, with_data_dir

TRAINED = {"data_dir": "/trained", "order": "rows"}


@pytest.fixture(autouse=True)
def no_usual_folder(monkeypatch):
    monkeypatch.delenv("MEMTAPE_DATA_DIR", raising=False)


@pytest.mark.parametrize(
    ("flag", "option", "environment", "expected"),
    [
        (None, None, None, None),
        (None, None, "/usual", "/usual"),
        (None, None, "", None),
        (None, "/file", "/usual", "/file"),
        (Path("/flag"), "/file", "/usual", "/flag"),
    ],
)
def test_the_flag_overrides_options_and_options_override_the_environment(
    monkeypatch, flag, option, environment, expected
):
    if environment is not None:
        monkeypatch.setenv("MEMTAPE_DATA_DIR", environment)
    options = with_data_dir("digits", {"data_dir": option, "order": "rows"}, flag=flag)
    assert options == {"data_dir": expected, "order": "rows"}


@pytest.mark.parametrize(
    ("flag", "options", "environment", "expected"),
    [
        (None, {}, None, "/trained"),
        (None, {}, "/usual", "/usual"),
        (None, {"data_dir": "/option"}, "/usual", "/option"),
        (None, {"data_dir": None}, "/usual", None),
        (Path("/flag"), {"data_dir": "/option"}, "/usual", "/flag"),
    ],
)
def test_a_trained_run_reads_its_own_folder_unless_another_is_named(monkeypatch, flag, options, environment, expected):
    if environment is not None:
        monkeypatch.setenv("MEMTAPE_DATA_DIR", environment)
    assert with_data_dir("digits", options, flag=flag, trained=TRAINED) == {"data_dir": expected, "order": "rows"}


def test_a_run_that_was_trained_on_synthetic_data_ignores_the_environment(monkeypatch):
    monkeypatch.setenv("MEMTAPE_DATA_DIR", "/usual")
    trained = {"data_dir": None, "order": "rows"}
    assert with_data_dir("digits", {}, trained=trained) == trained


@pytest.mark.parametrize("trained", [None, {"bits": 8}])
def test_a_task_without_data_ignores_the_environment_and_refuses_the_flag(monkeypatch, trained):
    monkeypatch.setenv("MEMTAPE_DATA_DIR", "/usual")
    assert with_data_dir("copy", {"bits": 2}, trained=trained) == {"bits": 2}
    with pytest.raises(DataDirError, match="the data folder is /flag, but copy reads no data; leave it out"):
        with_data_dir("copy", {"bits": 2}, flag=Path("/flag"), trained=trained)
