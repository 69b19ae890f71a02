"""Environment: the versions and hardware that the numbers of a run depend on."""

from memtape.experiments.run_folder import environment


def test_outside_of_a_source_tree_there_is_no_commit(monkeypatch, tmp_path):
    monkeypatch.setattr(environment, "__file__", str(tmp_path / "runs.py"))
    assert environment.commit() is None


def test_the_environment_of_a_run_is_recorded():
    assert environment.environment().keys() >= {"memtape", "torch", "processor", "threads", "instructions", "commit"}
