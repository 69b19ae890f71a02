"""Hub: fetch shared folders from the Hugging Face hub, and push them there."""

import importlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from memtape.core.extra import importing
from memtape.sharing.shared_folder import LOADED, SharingError


@contextmanager
def fetched(repo_id: str, **options: Any) -> Iterator[Path]:
    """Download the files of a network at one commit, and yield a temporary folder with them.

    Args:
        repo_id: name of the repository.
        options: options of `huggingface_hub.snapshot_download`, such as `revision`.

    Raises:
        MissingPackageError: huggingface-hub is not installed.
        SharingError: the repository or revision does not exist, or the hub cannot be reached.
    """
    library = _library()
    with _sentence(f"{repo_id!r} is not a folder here and cannot be fetched from the hub"):
        snapshot = Path(library.snapshot_download(repo_id, allow_patterns=list(LOADED), **options))
    with TemporaryDirectory() as folder:
        for name in LOADED:
            if (snapshot / name).exists():
                shutil.copyfile(snapshot / name, Path(folder) / name)  # files of the hub's cache are links
        yield Path(folder)


def push(
    folder: Path, repo_id: str, *, message: str, private: bool | None, token: str | bool | None, branch: str | None
) -> str:
    """Upload a folder in one commit, create the repository if needed, and return the URL of the commit.

    Raises:
        MissingPackageError: huggingface-hub is not installed.
        SharingError: the hub refuses it, or cannot be reached.
    """
    library = _library()
    with _sentence(f"the network cannot be pushed to {repo_id!r}"):
        api = library.HfApi(token=token, library_name="memtape")
        name = api.create_repo(repo_id, private=private, exist_ok=True).repo_id
        return str(api.upload_folder(repo_id=name, folder_path=folder, commit_message=message, revision=branch))


def _library() -> Any:
    with importing("the Hugging Face hub"):
        return importlib.import_module("huggingface_hub")


@contextmanager
def _sentence(beginning: str) -> Iterator[None]:
    """Turn the errors of the hub's library, of many types and lines, into one sentence."""
    try:
        yield
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise SharingError(
            f"{beginning} ({reason}); check the name and the connection, log in by `hf auth login` if it is private, "
            "or use a folder"
        ) from error
