"""Compare with JAX: the Neural Turing Machine of memtape and the same machine in JAX, one training step on one core.

    python benchmarks/against_jax.py --controller lstm --heads 1 --json results.json

Both first run on the same weights and inputs; their outputs and gradients must agree. Then they are timed in turn. The
JAX machine is a jitted `value_and_grad` of a `lax.scan`, with the projection of the inputs before the scan, the
projection of the outputs after it, and the recurrent part in one matrix product. It leaves out memtape's guards against
overflow, which cost time.
"""

import argparse
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CORE = min(os.sched_getaffinity(0))
os.sched_setaffinity(0, {CORE})
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"

import jax  # noqa: E402 - XLA reads its flags when it is loaded
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from jax import lax, nn  # noqa: E402

from memtape import NTM, use_backend  # noqa: E402
from memtape.experiments.bench.measure import middle, ratio, side_by_side, surroundings  # noqa: E402

INPUTS, OUTPUTS, SLOTS, WIDTH, HIDDEN = 9, 8, 128, 20, 100
TIME = 42
CLIP, EPSILON, EMPTY = 20.0, 1e-12, 1e-6

LARGEST_DIFFERENCE = 5e-5
"""Absolute for outputs; for a gradient, relative to the largest entry of its tensor, or to 0.001 if that is larger.
Both programs sum thousands of float32 numbers, each in its own order."""

Parameters = Mapping[str, jax.Array]


def loss(
    parameters: Parameters, xs: jax.Array, controller: str, heads: int, unroll: int
) -> tuple[jax.Array, jax.Array]:
    """Return the mean square of the outputs, and the outputs; inputs and outputs are time first."""
    ys = machine(parameters, xs, controller, heads, unroll)
    return jnp.mean(jnp.square(ys)), ys


def machine(parameters: Parameters, xs: jax.Array, controller: str, heads: int, unroll: int) -> jax.Array:
    """Run the machine over sequences, with as many read heads as write heads."""
    batch = xs.shape[1]
    recurrent = controller == "lstm"
    first = "controller.cell.from_input" if recurrent else "controller.cell.layer"
    from_input = parameters[f"{first}.weight"]
    into_state = from_input[:, INPUTS:].T
    if recurrent:
        into_state = jnp.concatenate([into_state, parameters["controller.cell.from_hidden.weight"].T])
    projected = xs @ from_input[:, :INPUTS].T + parameters[f"{first}.bias"]
    to_heads, head_bias = (parameters[f"interface.head_parameters.linear.{name}"] for name in ("weight", "bias"))
    sizes = [2 * heads * WIDTH, 2 * heads, 2 * heads, 2 * heads * 3, 2 * heads, heads * WIDTH, heads * WIDTH]
    ends = np.cumsum(sizes)[:-1]

    def control(x, state):
        if not recurrent:
            return jnp.tanh(x + state["reads"] @ into_state), {}
        seen = jnp.concatenate([state["reads"], state["hidden"]], axis=-1)
        write, keep, candidate, show = jnp.split(x + seen @ into_state, 4, axis=-1)
        cell = nn.sigmoid(keep) * state["cell"] + nn.sigmoid(write) * jnp.tanh(candidate)
        hidden = nn.sigmoid(show) * jnp.tanh(cell)
        return hidden, {"hidden": hidden, "cell": cell}

    def step(state, x):
        memory, previous = state["memory"], state["weights"]
        hidden, own = control(x, state)
        raw = jnp.clip(hidden @ to_heads.T + head_bias, -CLIP, CLIP)
        keys, strengths, gates, kernel, exponents, erase, add = jnp.split(raw, ends, axis=-1)

        keys = jnp.tanh(keys).reshape(batch, 2 * heads, WIDTH)
        scores = jnp.einsum("bhw,bsw->bhs", keys, memory)
        scores *= (inverse_norm(keys) * nn.softplus(strengths))[:, :, None] * inverse_norm(memory)[:, None, :]
        gates = nn.sigmoid(gates)[:, :, None]
        blended = gates * nn.softmax(scores) + (1 - gates) * previous
        kernel = nn.softmax(kernel.reshape(batch, 2 * heads, 3))
        shifted = sum(kernel[:, :, offset + 1, None] * jnp.roll(blended, offset, axis=-1) for offset in (-1, 0, 1))
        weights = nn.softmax(jnp.log(shifted + EPSILON) * (1 + nn.softplus(exponents))[:, :, None])

        reads = jnp.einsum("bhs,bsw->bhw", weights[:, :heads], memory).reshape(batch, heads * WIDTH)
        writes = weights[:, heads:]
        erase = nn.sigmoid(erase).reshape(batch, heads, WIDTH)
        add = jnp.tanh(add).reshape(batch, heads, WIDTH)
        kept = memory
        for head in range(heads):
            kept *= 1 - writes[:, head, :, None] * erase[:, head, None, :]
        memory = kept + jnp.einsum("bhs,bhw->bsw", writes, add)
        return {"memory": memory, "weights": weights, "reads": reads, **own}, (hidden, reads)

    def every(start):
        return jnp.broadcast_to(start, (batch, *start.shape))

    begin = {
        "memory": jnp.full((batch, SLOTS, WIDTH), EMPTY),
        "weights": every(nn.softmax(parameters["memory.initial_logits"])),
        "reads": every(parameters["initial_reads"]),
    }
    if recurrent:
        begin["hidden"], begin["cell"] = (every(parameters[f"controller.biases.{number}"]) for number in (0, 1))
    _, (hidden, reads) = lax.scan(step, begin, projected, unroll=unroll)
    seen = jnp.concatenate([hidden, reads], axis=-1)
    return seen @ parameters["to_output.weight"].T + parameters["to_output.bias"]


def inverse_norm(vectors: jax.Array) -> jax.Array:
    return lax.rsqrt(jnp.sum(jnp.square(vectors), axis=-1) + EPSILON)


def compare(ntm: NTM, batch: int, *, seconds: float, controller: str, heads: int, unroll: int) -> dict[str, Any]:
    """Check that the two agree on a batch, time them in turn, and return a row."""
    xs = torch.randint(2, (batch, TIME, INPUTS)).float()
    own_parameters = {name.removeprefix("cell.machine."): value for name, value in ntm.named_parameters()}
    parameters = {name: jnp.asarray(value.detach().numpy()) for name, value in own_parameters.items()}
    time_first = jnp.asarray(xs.transpose(0, 1).contiguous().numpy())
    graded = jax.jit(jax.value_and_grad(loss, has_aux=True), static_argnums=(2, 3, 4))

    def step_of_memtape() -> torch.Tensor:
        ntm.zero_grad()
        ys, _ = ntm(xs)
        ys.square().mean().backward()
        return ys

    def step_of_jax() -> Any:
        return jax.block_until_ready(graded(parameters, time_first, controller, heads, unroll))

    ys = step_of_memtape().detach().numpy()
    (_, their_ys), gradients = step_of_jax()
    differences = {"the outputs": float(np.abs(np.asarray(their_ys).swapaxes(0, 1) - ys).max())}
    for name, value in own_parameters.items():
        own, theirs = value.grad.numpy(), np.asarray(gradients[name])
        differences[f"the gradient of {name}"] = float(np.abs(own - theirs).max() / max(np.abs(own).max(), 1e-3))
    for name, difference in differences.items():
        if not difference <= LARGEST_DIFFERENCE:
            raise SystemExit(f"batch {batch}: {name} differ by {difference:.1e}, more than {LARGEST_DIFFERENCE:.0e}")

    times = side_by_side({"memtape": step_of_memtape, "jax": step_of_jax}, seconds=seconds)
    row: dict[str, Any] = {"controller": controller, "heads": heads, "batch": batch, "time": TIME, "slots": SLOTS}
    for name, own_times in times.items():
        length, spread = middle(own_times)
        row |= {f"{name}_ms_per_step": 1000 * length / TIME, f"{name}_spread": spread}
    row["ratio"], row["ratio_spread"] = ratio(times["memtape"], times["jax"])
    return row | {"rounds": len(times["jax"]), "largest_difference": max(differences.values())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--controller", choices=("lstm", "feedforward"), default="lstm")
    parser.add_argument("--heads", type=int, default=1, help="number of read heads, and of write heads")
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--backend", default="cpu", help="memtape's backend")
    parser.add_argument("--unroll", type=int, default=1, help="steps that lax.scan unrolls")
    parser.add_argument("--seconds", type=float, default=5.0, help="about how long to time each batch size")
    parser.add_argument("--json", type=Path, help="file to write")
    options = parser.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(0)
    use_backend(options.backend)
    heads = {"read_heads": options.heads, "write_heads": options.heads}
    sizes = {"slots": SLOTS, "width": WIDTH, "controller_size": HIDDEN}
    ntm = NTM(INPUTS, OUTPUTS, controller=options.controller, **heads, **sizes)
    rows = []
    print("batch   memtape  spread       JAX  spread   ratio  spread   (ms per step; JAX to memtape)")
    for batch in options.batch:
        row = compare(
            ntm,
            batch,
            seconds=options.seconds,
            controller=options.controller,
            heads=options.heads,
            unroll=options.unroll,
        )
        rows.append(row)
        print(
            f"{batch:5d}  {row['memtape_ms_per_step']:8.4f}  {row['memtape_spread']:6.0%}  {row['jax_ms_per_step']:8.4f}"
            f"  {row['jax_spread']:6.0%}  {row['ratio']:6.2f}  {row['ratio_spread']:6.0%}",
            flush=True,
        )
    if options.json:
        environment = {**surroundings(1), "jax": jax.__version__, "backend": options.backend, "core": CORE}
        written = {
            "environment": environment,
            "xla_flags": os.environ["XLA_FLAGS"],
            "unroll": options.unroll,
            "rows": rows,
        }
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(written, indent=2) + "\n")


if __name__ == "__main__":
    main()
