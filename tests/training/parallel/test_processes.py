"""Processes: shares of a batch, tested from the view of each process without starting several."""

from types import SimpleNamespace

import pytest

from memtape.training.parallel import processes
from memtape.training.parallel.processes import Processes
from memtape.training.settings import SettingsError, TrainSettings


def seen_from(monkeypatch, index, count, **settings):
    monkeypatch.setattr(processes, "Accelerator", lambda **_: SimpleNamespace(process_index=index, num_processes=count))
    return Processes(TrainSettings(device="cpu", **settings))


@pytest.mark.parametrize(("rows", "count"), [(6, 2), (7, 3), (5, 5), (64, 1)])
def test_shares_are_disjoint_and_cover_the_batch(monkeypatch, rows, count):
    shares = [range(*seen_from(monkeypatch, index, count).share(rows)) for index in range(count)]
    assert [row for share in shares for row in share] == list(range(rows))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_only_one_process_is_the_first(monkeypatch):
    assert [seen_from(monkeypatch, index, 3).first for index in range(3)] == [True, False, False]


def test_more_processes_than_rows_are_refused(monkeypatch):
    sentence = "batch_size is 5, but 3 processes with 2 parts each need a row for every part; give a larger batch_size"
    with pytest.raises(SettingsError, match=sentence):
        seen_from(monkeypatch, 0, 3, batch_size=5, accumulate=2)


def test_a_readout_in_closed_form_needs_one_process(monkeypatch):
    seen_from(monkeypatch, 0, 1, optimizer="ridge")
    with pytest.raises(
        SettingsError, match='optimizer is "ridge", which solves in one process, but there are 2; start'
    ):
        seen_from(monkeypatch, 0, 2, optimizer="ridge")


def test_a_single_process_has_its_own_sums_and_interruptions(monkeypatch):
    alone = seen_from(monkeypatch, 0, 1)
    assert alone.sum({"a": 1.5, "b": 2.0}) == {"a": 1.5, "b": 2.0}
    assert alone.any(True)
    assert not alone.any(False)
    assert alone.broadcast("name") == "name"
