"""`memtape bench`: its table, its JSON, its figure, and the arguments that it refuses."""

import json
import subprocess
import sys

import pytest

from memtape.cli.main import run

TINY = ("bench", "ntm", "--batch", "2", "--time", "5", "--slots", "8", "--threads", "1", "--seconds", "0.01")


@pytest.fixture
def no_processes(monkeypatch):
    """Skip the process that measures memory."""
    monkeypatch.setattr("memtape.experiments.bench.measure._peak", lambda case: 1.5)


def refused(capsys, *words):
    """Return the sentence with which a command line is refused."""
    assert run(list(map(str, words))) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("memtape: ")
    assert printed.err.count("\n") == 1
    return printed.err


def test_help_is_given_without_loading_torch():
    code = (
        "import sys; from memtape.cli.main import run; assert run(['bench', '--help']) == 0\n"
        "assert 'torch' not in sys.modules and 'matplotlib' not in sys.modules"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    assert "Usage: memtape bench" in finished.stdout
    assert "[default: 1 16 64]" in finished.stdout


def test_help_lists_the_options_of_the_models_that_are_named(capsys):
    assert run(["bench", "ntm", "--help"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "--model.read-heads INT" in printed
    assert "--model.clip FLOAT" in printed
    assert "[default: 20.0]" in printed
    assert "--model.hidden-size" not in printed
    assert "--model.slots" not in printed
    assert run(["bench", "ntm", "lstm", "--help"]) == 0
    printed = capsys.readouterr().out
    assert "--model.read-heads" in printed
    assert "--model.hidden-size" in printed


def test_json_alone_goes_to_standard_output(capfd):
    assert run([*TINY, "--json", "-", "--backend", "reference", "--mode", "infer"]) == 0
    printed = json.loads(capfd.readouterr().out)
    assert set(printed) == {"environment", "rows"}
    assert {"torch", "processor", "instructions"} <= set(printed["environment"])
    assert printed["environment"]["threads"] == 1
    (row,) = printed["rows"]
    assert (row["model"], row["backend"], row["mode"]) == ("ntm", "reference", "infer")
    assert (row["batch"], row["time"], row["slots"], row["threads"]) == (2, 5, 8, 1)
    assert row["ms_per_step"] > 0
    assert row["peak_mib"] >= 0


def test_the_table_has_a_line_for_each_backend_and_mode(capsys, no_processes):
    assert run([*TINY, "--model.read-heads", "2", "--model.controller", "feedforward"]) == 0
    lines = capsys.readouterr().out.splitlines()
    modes = [line.split()[1] for line in lines if line.startswith("ntm")]
    assert set(modes) == {"train", "infer"}
    assert all(len(line) <= 80 for line in lines)


def test_files_hold_the_requested_measurements(capsys, no_processes, tmp_path):
    numbers, picture = tmp_path / "new" / "rows.json", tmp_path / "cost.svg"
    words = [*TINY, "--slots", "8", "16", "--mode", "infer", "--model.controller-size", "7"]
    assert run([*words, "--json", str(numbers), "--plot", str(picture)]) == 0
    rows = json.loads(numbers.read_text())["rows"]
    assert {row["slots"] for row in rows} == {8, 16}
    assert all(row["options"]["controller_size"] == 7 for row in rows)
    assert "slots of the memory" in picture.read_text()


def test_a_model_without_slots_is_measured_without_them(capsys, no_processes, tmp_path):
    numbers = tmp_path / "rows.json"
    words = ["bench", "lstm", *TINY[2:], "--model.hidden-size", "4", "--mode", "infer", "--json", str(numbers)]
    assert run(words) == 0
    assert all(row["slots"] is None for row in json.loads(numbers.read_text())["rows"])


def test_a_machine_without_a_fused_kernel_is_reported_to_run_single_steps(capsys, no_processes, monkeypatch):
    monkeypatch.setattr("memtape.experiments.bench.measure.backends", lambda: {"reference": None, "cpu": None})
    monkeypatch.setattr("memtape.core.backends.backends", lambda: {"reference": None, "cpu": None})
    assert run([*TINY, "--mode", "infer", "--model.sequential-heads"]) == 0
    assert "ntm has no fused kernel on cpu; it runs the reference" in capsys.readouterr().out
    assert run([*TINY, "--mode", "infer", "--backend", "reference"]) == 0
    assert "twin" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("nmt",), 'there is no model "nmt"; did you mean "ntm"?'),
        (("ntm", "--batch", "0"), "batch is 0, but it must be at least 1"),
        (("ntm", "--batch", "many"), 'Invalid value for --batch: unable to convert "many"'),
        (("ntm", "--backend", "cuda"), "the backend is 'cuda', but it must be one of reference, compile, scan, cpu"),
        (("ntm", "--mode", "test"), 'Invalid value "test" for --mode'),
        (("ntm", "--seconds", "0"), "--seconds is 0, but it must be positive"),
        (("ntm", "--plot", "cost.pdf"), "the figure cost.pdf ends in '.pdf', but it is drawn as PNG or SVG"),
        (("ntm", "--plot", "cost.png", "--batch", "1"), "--plot draws cost over a size, but each size has one value"),
        (("ntm", "--json", "file/rows.json"), "the file file/rows.json cannot be written"),
        (("ntm", "--json", "."), "the file . cannot be written"),
        (("ntm", "--model.cliip", "3"), "Unknown option: --model.cliip. Did you mean --model.clip?"),
        (("ntm", "--model.read-heads", "many"), 'Invalid value for --model.read-heads: unable to convert "many"'),
        (("ntm", "--model.controller", "cnn"), 'Invalid value "cnn" for --model.controller. Choose'),
        (("ntm", "--model.slots", "3"), "slots is given as an option of the model, but several can be measured"),
        (("ntm", "--device", "cpu", "lstm", "--model.clip", "-1"), "clip is -1.0, but it is a bound"),
        (("lstm", "--model.width", "3"), "Unknown option: --model.width."),
        (
            ("--device", "cpu", "lstm", "--model.width", "3"),
            "there is no option width of lstm; the options are candidate, ",
        ),
    ],
)
def test_an_invalid_request_is_refused_with_one_sentence(
    capsys, shapes_unchecked, tmp_path, monkeypatch, words, sentence
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("memtape.experiments.bench.measure.measured", lambda *_, **__: pytest.fail("it measured"))
    assert sentence in refused(capsys, "bench", *words)


def test_an_absent_backend_is_refused_with_the_reason(capsys, monkeypatch):
    monkeypatch.setattr("memtape.core.backends.backends", lambda: {"reference": None, "cpu": "no compiler was found"})
    monkeypatch.setattr("memtape.experiments.bench.measure.backends", lambda: {"reference": None, "cpu": "no"})
    assert "'cpu', which is absent here: no compiler was found" in refused(capsys, "bench", "--backend", "cpu")
