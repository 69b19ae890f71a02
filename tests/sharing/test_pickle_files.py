"""Pickle files are refused with the reason and are never opened."""

import pytest

import memtape


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.pth", "last.ckpt", "weights.pkl"])
def test_pickles_are_refused_with_the_reason_and_not_opened(bare, name, monkeypatch, refused):
    (bare / "model.safetensors").rename(bare / name)
    opened = []
    monkeypatch.setattr("builtins.open", lambda *words, **_: opened.append(words))
    monkeypatch.setattr("io.open", lambda *words, **_: opened.append(words))
    refused(bare, f"{name!r}, but that is a pickle file, which can run any code when it is loaded and is never opened")
    refused(str(bare / name), "is a pickle file, which can run any code when it is loaded and is never opened")
    assert not opened


def test_a_pickle_beside_the_weights_is_ignored(bare, ntm, same):
    (bare / "pytorch_model.bin").write_bytes(b"\x80")
    same(ntm, memtape.NTM.from_pretrained(bare))
