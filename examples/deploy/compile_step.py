"""Compile one step of a network for C++: the program of the step and its initial state.

python examples/deploy/compile_step.py step.pt2 state.pt
"""

import sys

import torch

import memtape
from memtape.deploy import Step, program


def compile_step(network: memtape.Recurrent, package: str, state: str) -> None:
    """Write the compiled step of a network, and the tensors of its initial state."""
    torch._inductor.aoti_compile_and_package(program(network), package_path=package)
    tensors = list(Step(network).init_state(1))
    with open(state, "wb") as file:
        file.write(torch._C._pickle_save(tensors))


if __name__ == "__main__":
    torch.manual_seed(0)
    compile_step(memtape.NTM(input_size=3, output_size=2, slots=16).eval(), *sys.argv[1:])
