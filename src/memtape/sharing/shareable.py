"""Shareable: save, load and push networks with the methods of the Hugging Face hub.

The methods are those of `huggingface_hub.PyTorchModelHubMixin`. That class itself is not used, because its loading
ignores unknown arguments and missing tensors, builds any size that the configuration names, and falls back to pickle
files.
"""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from torch import nn

from memtape.core import checks
from memtape.core.argument_words import answering
from memtape.core.given_path import given_path
from memtape.core.numpy_scalars import plain_values
from memtape.sharing import hub
from memtape.sharing.blueprint import MisfitError, blueprint, build
from memtape.sharing.model_card import Training, model_card
from memtape.sharing.shared_folder import PICKLES, Contents, SharingError, read_folder, write_folder

N = TypeVar("N", bound="Shareable")


def constructor_arguments(names: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a constructor by name, from its `locals()` at its first line.

    Raises:
        ValueError: a number is not finite.
    """
    arguments = plain_values({name: value for name, value in names.items() if name not in ("self", "__class__")})
    checks.fit_in_64_bits(arguments)
    checks.finite_options(arguments)
    return arguments


class Shareable(nn.Module):
    """Abstract network that can be saved to a folder or the hub and loaded from there, without pickle.

    Attributes:
        configuration: the arguments of the constructor by name, plain values; `memtape.core.recurrent.runs` keeps them.
    """

    configuration: dict[str, Any]

    def __init_subclass__(cls, **options: Any):
        """Let the constructors of memtape's networks answer the words of torch; what others mean is not known."""
        super().__init_subclass__(**options)
        if "__init__" in vars(cls) and cls.__module__.startswith("memtape."):
            cls.__init__ = answering(cls.__name__, cls.__init__)  # type: ignore[method-assign]

    def trace(self, xs: Any, *others: Any, **options: Any) -> Any:
        """Raise an error: only a network that runs a cell over sequences, a `Recurrent`, has steps to trace.

        Raises:
            TypeError: always.
        """
        raise TypeError(
            f"{type(self).__name__} does not compute step by step, so it has no steps to trace; trace a network that runs a "
            "cell over sequences, such as NTM or DNC"
        )

    def save_pretrained(self, folder: str | Path, *, training: Training | None = None) -> None:
        """Write weights, configuration, card and manifest to a folder, over those of a network saved there before.

        Args:
            folder: the folder, created if it does not exist.
            training: how the network was trained, for the card.

        Raises:
            SharingError: the constructor's arguments do not describe the network, or the folder cannot be written or
                has a foreign file of the same name.
        """
        self.save_as(given_path(folder), given_path(folder).absolute().name, training)

    @classmethod
    def from_pretrained(
        cls: type[N],
        source: str | Path,
        *,
        revision: str | None = None,
        token: str | bool | None = None,
        cache_dir: str | Path | None = None,
        force_download: bool = False,
        local_files_only: bool = False,
    ) -> N:
        """Load a saved network, on the CPU and in evaluation mode; nothing in the files is executed.

        Args:
            source: a folder, or the name of a repository on the hub.
            revision: branch, tag or commit of the repository; a commit never changes.
            token: access token of the hub, for private repositories; None takes that of your login.
            cache_dir: folder of downloads; None for the default of the hub.
            force_download: download again what is in the cache.
            local_files_only: use the cache only, without a connection.

        Raises:
            DamagedError: a file is missing, or differs from the manifest of the folder.
            SharingError: the folder or repository does not exist, has another model, or has files that do not belong
                together.
        """
        folder = given_path(source)
        if folder.is_dir():
            if revision is not None:
                raise SharingError(
                    f"revision is {revision!r}, but {folder} is a folder, which has none; leave it out or name a repository"
                )
            return cls._read(folder)
        if folder.exists() or isinstance(source, Path) or source.startswith((".", "/", "~")):
            raise SharingError(_no_folder(folder))
        fetching = hub.fetched(
            source,
            revision=revision,
            token=token,
            cache_dir=None if cache_dir is None else str(given_path(cache_dir)),
            force_download=force_download,
            local_files_only=local_files_only,
        )
        with fetching as copy:
            return cls._read(copy)

    def push_to_hub(
        self,
        repo_id: str,
        *,
        training: Training | None = None,
        commit_message: str | None = None,
        private: bool | None = None,
        token: str | bool | None = None,
        branch: str | None = None,
    ) -> str:
        """Push the network to a repository of the hub, and return the URL of the commit.

        Args:
            repo_id: name of the repository, such as "me/ntm-copy"; it is created if it does not exist.
            training: how the network was trained, for the card.
            commit_message: message of the commit.
            private: whether a new repository is private; None for the owner's default.
            token: access token of the hub; None takes the one of your login.
            branch: branch of the commit; None for the main branch.

        Raises:
            SharingError: the constructor's arguments do not describe the network, or the hub rejects it or cannot be
                reached.
        """
        with TemporaryDirectory() as folder:
            self.save_as(Path(folder), repo_id, training)
            message = commit_message or f"Share {type(self).__name__}"
            return hub.push(Path(folder), repo_id, message=message, private=private, token=token, branch=branch)

    def save_as(self, folder: Path, name: str, training: Training | None) -> None:
        """Write the files of `save_pretrained` with another name in the card.

        Args:
            folder: the folder, created if it does not exist.
            name: the folder or repository from which the card loads the network.
            training: how the network was trained, for the card.

        Raises:
            SharingError: as `save_pretrained`.
        """
        contents = Contents(type(self).__name__, self.configuration, self.state_dict())
        try:
            blueprint(type(self), contents.arguments, contents.tensors)
        except MisfitError as error:
            raise SharingError(f"this network could not be loaded again: {error}") from None
        card = model_card(self, name, training)
        write_folder(
            folder,
            contents,
            card=card,
            figure=training.figure if training else None,
            symbols=training.symbols if training else None,
        )

    @classmethod
    def _read(cls: type[N], folder: Path) -> N:
        contents = read_folder(folder)
        if contents.model != cls.__name__:
            raise SharingError(
                f"{folder} holds a network of the class {contents.model[:80]!r}, but {cls.__name__} was to be loaded; "
                "call from_pretrained of that class"
            )
        try:
            return build(cls, contents.arguments, contents.tensors).eval()
        except MisfitError as error:
            raise SharingError(f"the files in {folder} do not fit: {error}") from None


def _no_folder(path: Path) -> str:
    if path.suffix in PICKLES:
        return (
            f"{path} is a pickle file, which can run any code when it is loaded and is never opened; "
            "convert it to safetensors where you trust it, and share that"
        )
    return f"there is no folder {path}; give one that save_pretrained wrote, or the name of a repository such as me/ntm-copy"
