"""`memtape share`: save a trained run as a folder, or push it to the hub."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from memtape.cli.errors import UsageError
from memtape.cli.terminal import print_visible
from memtape.core.given_path import given_path


def share(
    run: Annotated[Path, Parameter(help="Run folder, as `memtape train` named it.")],
    target: Annotated[str, Parameter(help="Folder to create; with --push, repository such as me/ntm-copy.")],
    /,
    *,
    push: Annotated[bool, Parameter(negative="", help="Push to the Hugging Face hub.")] = False,
    private: Annotated[bool, Parameter(negative="", help="Create a new repository as private.")] = False,
) -> None:
    """Save a trained run as a folder to share, or push it to the hub, and print the path or URL.

    It holds the weights as safetensors, the arguments of the constructor, a card with task, settings, results and figure,
    and digests of the loaded files. `from_pretrained` of the model loads it.
    """
    if private and not push:
        raise UsageError("--private is for the hub, but without --push a folder is written; add --push or leave it out")

    from memtape.experiments.share import push_run, save_run

    print_visible(push_run(run, target, private=private) if push else str(save_run(run, given_path(target))))
