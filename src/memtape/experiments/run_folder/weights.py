"""Weights: the parameters and buffers of a trained network in its run folder, as safetensors."""

from safetensors.torch import save
from torch import Tensor, nn

from memtape.core import manifest
from memtape.core.tensor_file import tensors_of
from memtape.experiments.run_folder.folder import WEIGHTS, Run, RunError


def save_weights(run: Run, model: nn.Module) -> None:
    """Write the parameters and buffers of a network.

    Raises:
        RunError: the file cannot be written.
    """
    tensors = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    run.replace(WEIGHTS, save(tensors))


def read_weights(run: Run) -> dict[str, Tensor]:
    """Return the weights of a finished run.

    Raises:
        RunError: the file is damaged or contains no weights.
    """
    content = run.read_verified(WEIGHTS)
    try:
        return tensors_of(run.folder / WEIGHTS, content)
    except manifest.DamagedError as error:
        raise RunError(str(error)) from None
