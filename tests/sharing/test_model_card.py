"""The model card of a shared folder."""

import json

import huggingface_hub
import torch

from memtape.sharing.model_card import Training

INPUT, OUTPUT = 3, 2


def test_the_card_of_a_plain_network(folder):
    card = (folder / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: memtape\ntags:\n- memtape\n")
    assert 'memtape.NTM.from_pretrained("ntm")' in card
    assert f"(batch, time, {INPUT})" in card
    assert "| slots | 4 |" in card
    assert "## Training" not in card
    assert "figure.png" not in card


def test_the_header_of_a_card_has_the_hub_s_format(folder):
    data = huggingface_hub.ModelCard.load(folder / "README.md").data
    assert data.library_name == "memtape"
    assert data.tags == ["memtape", "pytorch", "recurrent-neural-network"]
    assert data.license is None


def test_the_card_of_a_trained_network(ntm, tmp_path):
    training = Training(
        title="ntm on copy",
        summary="It copies.",
        tags=("ntm", "copy"),
        facts={"seed": 3, "recipe": None, "odd": "a|b\nc"},
        results=[
            {"length": 10, "sequences": 100, "wrong_bits": 0.25},
            {"length": 20, "sequences": 100, "wrong_bits": 1.0},
        ],
        unit="vectors",
        figure=b"png",
        caption="A tape.",
    )
    ntm.save_pretrained(tmp_path / "a folder", training=training)
    card = (tmp_path / "a folder" / "README.md").read_text()
    for text in (
        *("- copy\n", "# ntm on copy\n\nIt copies.\n", "![A tape.](figure.png)", "| seed | 3 |", "| recipe | none |"),
        *(
            "| odd | a\\|b c |",
            "| length (vectors) | sequences | wrong bits |\n| --- | --- | --- |\n| 10 | 100 | 0.25 |",
        ),
        *("| 20 | 100 | 1 |", 'from_pretrained("a folder")', "parameters."),
    ):
        assert text in card
    assert str(tmp_path) not in card


def test_a_score_of_all_test_sequences_stands_beside_those_of_each_part(ntm, tmp_path):
    results = [{"sequences": 300, "accuracy": 0.5}, {"length": 1, "sequences": 100, "accuracy": 0.25}]
    training = Training(title="t", summary="s", results=results, unit="task")
    ntm.save_pretrained(tmp_path, training=training)
    card = (tmp_path / "README.md").read_text()
    head = "| length (task) | sequences | accuracy |\n| --- | --- | --- |\n"
    assert f"{head}| all | 300 | 0.5 |\n| 1 | 100 | 0.25 |\n" in card


def test_a_card_of_symbols_describes_their_format(ntm, tmp_path):
    ntm.save_pretrained(tmp_path, training=Training(title="t", summary="s", symbols=("a", "b", "c")))
    card = (tmp_path / "README.md").read_text()
    assert f"xs: integers below {INPUT}, (batch, time)" in card
    assert "`vocabulary.json` lists the meaning of each symbol" in card
    assert json.loads((tmp_path / "vocabulary.json").read_text()) == ["a", "b", "c"]


def test_the_code_of_a_card_runs(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    code = (folder / "README.md").read_text().partition("```python\n")[2].partition("```")[0]
    namespace = {"xs": torch.zeros(1, 2, INPUT)}
    exec(code, namespace)
    assert namespace["outputs"].shape == (1, 2, OUTPUT)
