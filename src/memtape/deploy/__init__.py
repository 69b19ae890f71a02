"""Floor 6: networks as programs for other runtimes: `torch.export`, AOTInductor and ONNX."""

from memtape.deploy.exported_program import program
from memtape.deploy.onnx_file import save_onnx
from memtape.deploy.plain_module import Sequences, Step

__all__ = ["Sequences", "Step", "program", "save_onnx"]
