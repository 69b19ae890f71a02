"""ONNX file: a network as a model of ONNX, with the state as inputs and outputs."""

import contextlib
import importlib
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch.export import ExportedProgram

from memtape.core.errors import RequestError
from memtape.core.given_path import given_path
from memtape.deploy.exported_program import MODULES, What, program
from memtape.deploy.onnx_operations import DECOMPOSITIONS
from memtape.deploy.plain_module import Step


class MissingOnnxError(RequestError, ImportError):
    """A package that writes files of ONNX is not installed."""


def save_onnx(network: Any, path: str | Path, what: What = "step", *, symbols: bool = False) -> None:
    """Write a network as an ONNX file, which onnxruntime runs without torch and memtape.

    The inputs are `x` and the tensors of the state, or `xs`, `lengths` and the tensors of the state; the outputs `y` or
    `ys`, and the state after it with `next.` before the names. The loop over time is one operation, and the sizes of batch
    and time are free.

    Args:
        network: the network, in evaluation mode.
        path: the file.
        what: "step" for a single step, "sequences" for whole sequences with lengths.
        symbols: whether the inputs are symbols, integers of 64 bits, instead of vectors.

    Raises:
        MissingOnnxError: onnx or onnxscript is not installed.
        TypeError: the network is not one over sequences.
        ValueError: the network is in training mode, or `what` is unknown.

    Example:
        >>> import memtape
        >>> from memtape.deploy import save_onnx
        >>> save_onnx(memtape.GRU(input_size=3, output_size=2).eval(), "gru.onnx")  # doctest: +SKIP
    """
    for package in ("onnx", "onnxscript"):
        try:
            importlib.import_module(package)
        except ModuleNotFoundError:
            raise MissingOnnxError(
                f'save_onnx needs {package}, which is not installed; run pip install "memtape[onnx]"'
            ) from None
    exported = program(network, what, symbols=symbols)
    module = MODULES[what](network)
    first, result = (["x"], "y") if isinstance(module, Step) else (["xs", "lengths"], "ys")
    outputs = [result, *(f"next.{name}" for name in module.names)]
    converted(exported, [*first, *module.names], outputs).save(str(given_path(path)))


def converted(exported: ExportedProgram, inputs: list[str], outputs: list[str]) -> torch.onnx.ONNXProgram:
    """Convert an exported program to ONNX.

    Args:
        exported: the program.
        inputs: names of its inputs.
        outputs: names of its outputs.
    """
    with _quiet(), torch.no_grad():
        plain = exported.run_decompositions(DECOMPOSITIONS)
        model = torch.onnx.export(plain, input_names=inputs, output_names=outputs, dynamo=True, verbose=False)
    assert model is not None
    return model


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's notes about its own libraries from the user's screen."""
    level = logging.getLogger("torch.onnx").level
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.getLogger("torch.onnx").setLevel(level)
