"""A user's task and cell, each in one short file, work with every command; a run never imports the files that it names."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from memtape.cli.main import run
from memtape.core.manifest import write_manifest

EXAMPLES = Path(__file__).parents[2] / "examples/plugins"
MGU, REVERSAL = EXAMPLES / "mgu.py", EXAMPLES / "reversal.py"
PLUGINS = ["--plugin", str(MGU), "--plugin", str(REVERSAL)]
TINY = ["--train.steps", "2", "--train.batch-size", "2", "--train.validate-every", "1", "--train.device", "cpu"]
TINY += ["--train.validation-sequences", "2", "--model.hidden-size", "4", "--task.max-length", "3"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    assert run([*PLUGINS, "train", "mgu", "reversal", *TINY, "--out", str(folder)]) == 0
    return folder


@pytest.fixture
def copied(trained, tmp_path):
    return Path(shutil.copytree(trained, tmp_path / "run"))


def refused(capsys, *words):
    assert run([str(word) for word in words]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


@pytest.mark.parametrize("file", [MGU, REVERSAL], ids=lambda file: file.stem)
def test_a_plugin_is_one_file_of_at_most_40_lines(file):
    assert len(file.read_text().splitlines()) <= 40


@pytest.mark.parametrize("file", [MGU, REVERSAL], ids=lambda file: file.stem)
def test_the_document_contains_the_file_unchanged(file):
    assert f"```python\n{file.read_text()}```" in (EXAMPLES.parents[1] / "docs/guides/plugins.md").read_text()


def test_a_run_records_the_names_of_its_plugins_and_no_path(trained):
    assert json.loads((trained / "config.json").read_text())["plugins"] == {
        "model mgu": "mgu.py",
        "task reversal": "reversal.py",
    }
    for file in trained.rglob("*.json*"):
        assert str(EXAMPLES) not in file.read_text()


def test_a_run_without_plugins_records_none(tmp_path):
    words = [word for word in TINY if word != "--model.hidden-size"][:-3]
    assert run(["train", "elman", "copy", *words, *PLUGINS, "--out", str(tmp_path / "run")]) == 0
    assert "plugins" not in json.loads((tmp_path / "run/config.json").read_text())


def test_a_plugin_s_run_is_evaluated_reported_and_listed(trained, capsys):
    assert run(["evaluate", str(trained), "--json", *PLUGINS]) == 0
    output = json.loads(capsys.readouterr().out.splitlines()[-1])["results"]
    assert output == json.loads((trained / "evaluation.json").read_text())
    assert [result["length"] for result in output] == [5, 10]
    assert run(["report", str(trained), *PLUGINS]) == 0
    assert "Minimal gated units" in (trained / "report.html").read_text()
    for words in (["list", str(trained.parent)], ["show", str(trained)]):
        assert run(["runs", *words, *PLUGINS]) == 0
        assert "reversal" in capsys.readouterr().out


def test_a_training_run_of_a_plugin_is_resumed(copied, trained, capsys):
    for name in ("result.json", "weights.safetensors", "evaluation.json", "report.html", "manifest.json"):
        (copied / name).unlink()
    shutil.rmtree(copied / "checkpoints/step-000000002")
    assert "mgu.py" in refused(capsys, "resume", copied)
    assert run(["resume", str(copied), *PLUGINS]) == 0
    for name in ("weights.safetensors", "evaluation.json"):
        assert (copied / name).read_bytes() == (trained / name).read_bytes()


@pytest.mark.slow
def test_a_sweep_passes_the_plugins_to_its_processes(tmp_path, capsys):
    words = ["sweep", "mgu", "reversal", *TINY, "--seeds", "0", "--jobs", "1", "--out", str(tmp_path / "sweep")]
    assert run([*words, *PLUGINS]) == 0
    assert "0 of 1" in capsys.readouterr().out


@pytest.mark.slow
def test_a_plugin_can_be_benchmarked(capsys):
    words = [
        "bench",
        "mgu",
        "--batch",
        "1",
        "--time",
        "2",
        "--seconds",
        "0.01",
        "--mode",
        "infer",
        "--backend",
        "reference",
    ]
    assert run([*words, *PLUGINS]) == 0
    assert "mgu" in capsys.readouterr().out


def test_a_plugin_s_network_is_shared_and_loaded_by_its_class(trained, tmp_path):
    assert run(["share", str(trained), str(tmp_path / "shared"), *PLUGINS]) == 0
    config = json.loads((tmp_path / "shared/config.json").read_text())
    assert config["model"] == "MGU"
    code = "import mgu; print(mgu.MGU.from_pretrained('shared').configuration['hidden_size'])"
    assert "import mgu" in (tmp_path / "shared/README.md").read_text()
    paths = os.pathsep.join([str(EXAMPLES), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": paths}
    command = [sys.executable, "-c", code]
    printed = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "4"


@pytest.mark.parametrize(
    "words",
    [["evaluate"], ["resume"], ["report"], ["share", "new"], ["generate"], ["runs", "show"]],
    ids=lambda words: words[0],
)
def test_missing_plugins_of_a_run_are_named(trained, capsys, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    command, rest = (words, []) if words[0] == "runs" else (words[:1], words[1:])
    if words == ["resume"]:
        folder = shutil.copytree(trained, tmp_path / "run")
        (folder / "manifest.json").unlink()
        (folder / "result.json").unlink()
    else:
        folder = trained
    sentence = refused(capsys, *command, folder, *rest)
    assert (
        'the model "mgu" comes from the plugin mgu.py and the task "reversal" comes from the plugin reversal.py'
        in sentence
    )
    assert "which are missing; give each by --plugin FILE.py or in MEMTAPE_PLUGINS, or install its package" in sentence


def test_a_run_without_its_plugin_is_not_listed_as_damaged(trained, capsys):
    assert run(["runs", "list", str(trained.parent), "--plugin", str(MGU)]) == 0
    (sentence,) = capsys.readouterr().out.splitlines()
    assert sentence.startswith(f'without plugin: {trained}: the task "reversal" comes from the plugin reversal.py')
    assert sentence.endswith("give each by --plugin FILE.py or in MEMTAPE_PLUGINS, or install its package")
    assert run(["runs", "list", str(trained.parent), "--json"]) == 0
    output = json.loads(capsys.readouterr().out)
    assert (output["runs"], output["damaged"]) == ([], {})
    assert "mgu.py and the task" in output["without_plugin"][str(trained)]


def test_a_plugin_that_cannot_be_imported_does_not_hide_other_runs(trained, copied, tmp_path, capsys, monkeypatch):
    monkeypatch.delitem(sys.modules, "reversal", raising=False)
    broken = tmp_path / "reversal.py"
    broken.write_text(f"raise RuntimeError('broken')\n{REVERSAL.read_text()}")
    config = {"model": "lstm", "task": "copy", "model_options": {}, "task_options": {}, "plugins": {}}
    shutil.copytree(copied, tmp_path / "runs/plain")
    with_config(tmp_path / "runs/plain", **config)
    for name in ("metrics.jsonl", "result.json", "evaluation.json", "manifest.json"):
        (tmp_path / "runs/plain" / name).unlink()
    shutil.move(copied, tmp_path / "runs/own")
    assert run(["runs", "list", str(tmp_path / "runs"), "--plugin", str(MGU), "--plugin", str(broken), "--json"]) == 0
    output = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in output["runs"]] == ["plain"]
    assert "RuntimeError: broken" in output["without_plugin"][str(tmp_path / "runs/own")]


def test_one_missing_plugin_is_named_alone(trained, capsys):
    sentence = refused(capsys, "evaluate", trained, "--plugin", MGU)
    assert 'the task "reversal" comes from the plugin reversal.py, which is missing;' in sentence
    assert "mgu" not in sentence


def with_config(folder, **changes):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **changes}))
    names = json.loads((folder / "manifest.json").read_text())["files"]
    write_manifest(folder, names)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"model": "trap:Trap", "plugins": {}}, 'there is no model "trap:Trap"'),
        ({"model": "trap", "plugins": {"model trap": "TRAP"}}, 'the model "trap" comes from the plugin /'),
        ({"model": "trap", "plugins": ["TRAP"]}, "plugins is ['/"),
        ({"model": "trap", "plugins": {"model trap": ["TRAP"]}}, 'the model "trap" comes from the plugin'),
        ({"plugins": {"model mgu": "TRAP"}, "model": "x" * 10_000}, "there is no model"),
    ],
    ids=range(5),
)
def test_a_run_that_names_a_file_imports_nothing(copied, tmp_path, capsys, monkeypatch, changes, sentence):
    trap = tmp_path / "trap.py"
    trap.write_text("raise SystemExit('it was imported')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    text = json.dumps(changes).replace("TRAP", str(trap))
    with_config(copied, **json.loads(text))
    output = refused(capsys, "evaluate", copied, "--plugin", REVERSAL)
    assert sentence.replace("TRAP", str(trap)) in output
    assert "trap" not in sys.modules


@pytest.mark.slow
def test_several_processes_load_the_plugins(tmp_path):
    processes = []
    for rank in range(2):
        together = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "LOCAL_WORLD_SIZE": 2}
        environment = {
            **os.environ,
            **{name: str(value) for name, value in together.items()},
            "MEMTAPE_RENDEZVOUS": f"file://{tmp_path / 'meeting'}",
            "MEMTAPE_PLUGINS": f"{MGU}{os.pathsep}{REVERSAL}",
        }
        words = ["train", "mgu", "reversal", *TINY, "--out", str(tmp_path / "run")]
        command = [sys.executable, "-m", "memtape", *words]
        processes.append(subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True))
    output = [process.communicate(timeout=200)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], output
    assert (tmp_path / "run/report.html").is_file()
