"""Model card: the README of a shared network."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from memtape.core.inputs.registry import kind_named

HEADER = """---
library_name: memtape
tags:
{tags}
# license: yours to choose, such as apache-2.0
---"""

TAGS = ("memtape", "pytorch", "recurrent-neural-network")

USE = """## Use

```python
import {package}

network = {name}.from_pretrained({source})
outputs, state = network({inputs}
```"""

VECTORS = "xs)  # xs: shape (batch, time, {input_size}); outputs: logits, (batch, time, {output_size})"
SYMBOLS = "xs)  # xs: integers below {input_size}, (batch, time); outputs: logits, (batch, time, {output_size})"
OTHER = "{name})  # {name}: {article}; outputs: logits, (batch, time, {output_size}), one step for each {time_axis}"
"""The call of a network whose input is not a sequence."""


@dataclass(frozen=True, kw_only=True)
class Training:
    """How a network was trained, and its results, for its card."""

    title: str
    summary: str
    tags: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Task, recipe, seed and everything else that is needed to train it again."""
    results: Sequence[Mapping[str, Any]] = ()
    """One record for each length, all with the same names."""
    unit: str = ""
    """The unit of a length."""
    figure: bytes | None = None
    """A picture, PNG."""
    caption: str = ""
    symbols: Sequence[str] | None = None
    """The meaning of each symbol that the network reads, by index; None if it reads no symbols."""


def model_card(network: Any, source: str, training: Training | None) -> str:
    """Return the card of a network as Markdown with a header of YAML.

    Args:
        network: a network that runs over sequences, with its `configuration`.
        source: name of the folder or repository.
        training: how it was trained, if known.
    """
    kind = type(network)
    title = training.title if training else kind.__name__
    summary = training.summary if training else (kind.__doc__ or "").partition("\n")[0]
    tags = (*TAGS, *(training.tags if training else ()))
    parts = [HEADER.format(tags="\n".join(f"- {tag}" for tag in tags)), f"# {title}", summary]
    if training and training.figure is not None:
        parts += [f"![{training.caption}](figure.png)", f"*{training.caption}*"]
    package = "memtape" if kind.__module__.startswith("memtape.") else kind.__module__
    parts.append(
        USE.format(
            package=package,
            name=f"{package}.{kind.__name__}",
            source=json.dumps(source),
            inputs=_inputs(network, training),
        )
    )
    if training and training.symbols is not None:
        parts.append("`vocabulary.json` lists the meaning of each symbol, in the order of their numbers.")
    if training:
        parts += ["## Training", _table(("", ""), training.facts.items())]
    if training and training.results:
        names = list(training.results[-1])  # the first record may have no length: that of the whole test split
        heads = [f"length ({training.unit})" if name == "length" else name for name in names]
        rows = [[record.get(name, "all") for name in names] for record in training.results]
        parts += ["## Results", "Averages over sequences that were not used in training.", _table(heads, rows)]
    count = sum(parameter.numel() for parameter in network.parameters())
    parts += [
        "## Configuration",
        f"{count:,} parameters.",
        _table(("argument", "value"), network.configuration.items()),
    ]
    return "\n\n".join(parts) + "\n"


def _inputs(network: Any, training: Training | None) -> str:
    name = str(getattr(network, "input_kind", "sequences"))
    if name == "sequences":
        call = VECTORS if training is None or training.symbols is None else SYMBOLS
        return call.format(input_size=network.input_size, output_size=network.output_size)
    kind = kind_named(name)
    return OTHER.format(name=name, article=kind.article, time_axis=kind.time_axis, output_size=network.output_size)


def _table(heads: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    lines = [[head.replace("_", " ") for head in heads], *([_cell(value) for value in row] for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "none" if value is None else " ".join(str(value).replace("|", "\\|").split())
