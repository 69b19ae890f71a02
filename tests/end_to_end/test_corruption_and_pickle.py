"""Corruption is detected and no pickle is read: the programs of both with fewer files, and a search in the source."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "memtape"
MENTIONS_PICKLES = {"sharing/shared_folder.py", "sharing/shareable.py", "tasks/images/omniglot.py"}
"""Files that refuse pickles, by a message or an argument."""


def output_of(*words):
    finished = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False, timeout=250)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def test_all_corruption_is_detected_and_named_and_the_previous_checkpoint_is_used():
    printed = output_of(str(ROOT / "tests" / "robustness" / "corruption.py"), "--corruptions", "50")
    totals = [list(map(int, numbers.split())) for numbers in re.findall(r"together([ \d]+)\n", printed)]
    assert totals == [[50, 50, 50, 50, 1, 1], [5, 5, 5], [5, 5, 5]]


@pytest.mark.slow
def test_nothing_is_unpickled_and_loading_takes_at_most_twice_the_file():
    printed = output_of(str(ROOT / "tests" / "robustness" / "loading.py"), "--files", "1")
    unpickled = dict(re.findall(r"unpickled names: ([\w ,]+?) +(\d+)\n", printed))
    assert unpickled.pop("a pickle, to check that it is counted") == "1"
    stages = ("train", "save", "resume", "evaluate", "report", "share", "load", "sweep")
    assert unpickled == dict.fromkeys(stages, "0")
    assert "code executed: 0;" in printed
    assert max(map(float, re.findall(r"([\d.]+) x\n", printed))) <= 2.01


def test_the_source_neither_reads_nor_writes_pickles():
    found = {
        str(path.relative_to(SOURCE))
        for path in SOURCE.rglob("*.py")
        if re.search(r"pickle|torch\.(load|save)\(|joblib|shelve|marshal", path.read_text(), re.IGNORECASE)
    }
    assert found == MENTIONS_PICKLES
    for name in found:
        assert not re.search(r"import pickle|torch\.(load|save)\(", (SOURCE / name).read_text())
