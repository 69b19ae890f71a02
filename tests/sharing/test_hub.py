"""Hub: folders are found locally or fetched from the hub, and pushed."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest
from huggingface_hub.errors import LocalEntryNotFoundError, OfflineModeIsEnabled

import memtape
from memtape.core.manifest import DamagedError
from memtape.sharing.shared_folder import SharingError


def test_a_missing_folder_is_named(tmp_path):
    for source in (tmp_path / "nowhere", str(tmp_path / "nowhere"), "./nowhere"):
        with pytest.raises(
            SharingError, match=r"there is no folder .*nowhere; give one that save_pretrained wrote, or the name"
        ):
            memtape.NTM.from_pretrained(source)


def test_an_empty_folder_has_no_network(tmp_path, refused):
    refused(tmp_path, "config.json is missing", error=DamagedError)


def test_a_revision_of_a_folder_is_refused(folder):
    with pytest.raises(SharingError, match=r"revision is 'main', but .* is a folder, which has none; leave it out"):
        memtape.NTM.from_pretrained(folder, revision="main")


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub in a folder: pushed files can be fetched, as links like in the hub's own cache."""
    requests = SimpleNamespace(fetched=[], pushed=[])
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshot"
    blobs.mkdir()

    class Api:
        def __init__(self, token=None, library_name=None):
            requests.token = token

        def create_repo(self, repo_id, *, private, exist_ok):
            requests.created = (repo_id, private, exist_ok)
            return SimpleNamespace(repo_id=repo_id)

        def upload_folder(self, *, repo_id, folder_path, commit_message, revision):
            requests.pushed.append((repo_id, sorted(path.name for path in Path(folder_path).iterdir())))
            requests.message, requests.branch = commit_message, revision
            snapshot.mkdir()
            for path in Path(folder_path).iterdir():
                shutil.copy(path, blobs)
                (snapshot / path.name).symlink_to(blobs / path.name)
            return f"commit of {repo_id}"

    def snapshot_download(repo_id, *, allow_patterns, **options):
        requests.fetched.append((repo_id, tuple(allow_patterns), options))
        return str(snapshot)

    monkeypatch.setattr(huggingface_hub, "HfApi", Api)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    requests.snapshot = snapshot
    return requests


def test_a_pushed_network_is_fetched_unchanged(hub, ntm, monkeypatch, tmp_path, same):
    monkeypatch.chdir(tmp_path)
    address = ntm.push_to_hub("me/ntm-copy", private=True, token="t", branch="trial", commit_message="Better")
    assert address == "commit of me/ntm-copy"
    assert hub.created == ("me/ntm-copy", True, True)
    assert (hub.token, hub.message, hub.branch) == ("t", "Better", "trial")
    assert hub.pushed == [("me/ntm-copy", ["README.md", "config.json", "manifest.json", "model.safetensors"])]
    assert 'from_pretrained("me/ntm-copy")' in (hub.snapshot / "README.md").read_text()
    same(ntm, memtape.NTM.from_pretrained("me/ntm-copy", revision="abc", local_files_only=True, cache_dir="here"))
    (repo_id, patterns, options) = hub.fetched[0]
    assert repo_id == "me/ntm-copy"
    assert set(patterns) == {"config.json", "model.safetensors", "manifest.json"}
    assert options == {
        "revision": "abc",
        "token": None,
        "cache_dir": "here",
        "force_download": False,
        "local_files_only": True,
    }


def test_a_commit_message_names_the_shared_network(hub, ntm):
    ntm.push_to_hub("me/ntm-copy")
    assert (hub.message, hub.branch, hub.token, hub.created[1]) == ("Share NTM", None, None, None)


def test_damage_in_transfer_is_detected(hub, ntm):
    ntm.push_to_hub("me/ntm-copy")
    path = (hub.snapshot / "model.safetensors").resolve()
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(DamagedError, match=r"model\.safetensors is not the file that manifest\.json names"):
        memtape.NTM.from_pretrained("me/ntm-copy")


@pytest.mark.parametrize(
    "error",
    [
        OfflineModeIsEnabled("Cannot reach it: offline mode is enabled."),
        ConnectionError("[Errno -2] Name or service not known"),
        OSError("no space"),
        LocalEntryNotFoundError("It is not there.\n\nSecond line."),
        RuntimeError(""),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_unreachable_hub_is_reported_in_one_sentence(hub, ntm, monkeypatch, error):
    def fail(*_, **__):
        raise error

    reason = (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
    cure = "; check the name and the connection, log in by `hf auth login` if it is private, or use a folder"
    monkeypatch.setattr(huggingface_hub, "snapshot_download", fail)
    sentence = f"'me/ntm-copy' is not a folder here and cannot be fetched from the hub ({reason}){cure}"
    with pytest.raises(SharingError, match=f"^{re.escape(sentence)}$"):
        memtape.NTM.from_pretrained("me/ntm-copy")
    monkeypatch.setattr(huggingface_hub.HfApi, "create_repo", fail)
    sentence = f"the network cannot be pushed to 'me/ntm-copy' ({reason}){cure}"
    with pytest.raises(SharingError, match=f"^{re.escape(sentence)}$"):
        ntm.push_to_hub("me/ntm-copy")


def test_an_invalid_repository_name_is_refused_without_a_request():
    with pytest.raises(
        SharingError, match=r"'a/b/c' is not a folder here and cannot be fetched from the hub \(Repo id must"
    ):
        memtape.NTM.from_pretrained("a/b/c")


def test_neither_models_nor_folders_load_the_hub_s_library(folder):
    code = (
        "import sys, memtape; memtape.NTM.from_pretrained(sys.argv[1])\n"
        "assert not [name for name in sys.modules if name.startswith('huggingface_hub.')]"
    )
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True)
