"""Program options: how many stored programs a head has, and how they are chosen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from memtape.core import checks

ProgramAddressing = Literal["cosine-of-tanh", "cosine", "direct"]
PROGRAM_ADDRESSINGS = ("cosine-of-tanh", "cosine", "direct")

OF_THE_PROGRAMS = ("programs", "program_key_size", "program_addressing", "hard_programs", "program_temperature")
"""The options of the programs of a machine."""


@dataclass(frozen=True, kw_only=True)
class ProgramOptions:
    """How many programs a head has, and how they are chosen.

    Args:
        programs: number of programs of each head.
        key_size: size of a key; None for the number of programs.
        addressing: scores of the programs: "cosine-of-tanh", the cosine of the tanh of key and query, as in the authors'
            code; "cosine", the plain cosine, as in the paper; or "direct", the query itself, without keys.
        hard: choose one program instead of a mixture: the best one, in training after adding Gumbel noise. Gradients are
            those of the mixture.
        temperature: divides the scores with noise of hard programs in training.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, the addressing is unknown, the temperature is not positive, or with direct
            addressing the key size is not the number of programs.
    """

    programs: int = 2
    key_size: int | None = None
    addressing: ProgramAddressing = "cosine-of-tanh"
    hard: bool = False
    temperature: float = 1.0

    def __post_init__(self) -> None:
        """Check the options."""
        checks.at_least(1, programs=self.programs)
        checks.one_of(PROGRAM_ADDRESSINGS, program_addressing=self.addressing)
        checks.positive(program_temperature=self.temperature)
        if self.key_size is not None:
            checks.at_least(1, program_key_size=self.key_size)
            if self.addressing == "direct" and self.key_size != self.programs:
                raise ValueError(
                    f"program_key_size is {self.key_size}, but with direct addressing the query has a score for each of the "
                    f"{self.programs} programs; leave it out"
                )

    @property
    def query_size(self) -> int:
        """The size of a query."""
        return self.programs if self.key_size is None else self.key_size


def program_options(options: Mapping[str, Any]) -> ProgramOptions | None:
    """Return the options of the programs among those of a machine; None if it has no programs.

    Raises:
        TypeError: a size is not an integer.
        ValueError: an option is invalid, or is given without programs.
    """
    own = {name: options[name] for name in OF_THE_PROGRAMS}
    if own["programs"] is None:
        plain = ProgramOptions()
        defaults = {
            "program_key_size": plain.key_size,
            "program_addressing": plain.addressing,
            "hard_programs": plain.hard,
            "program_temperature": plain.temperature,
        }
        for name, default in defaults.items():
            if own[name] != default:
                raise ValueError(
                    f"{name} is {own[name]!r}, but there are no stored programs; give programs, such as 2, or leave it out"
                )
        return None
    return ProgramOptions(
        programs=own["programs"],
        key_size=own["program_key_size"],
        addressing=own["program_addressing"],
        hard=own["hard_programs"],
        temperature=own["program_temperature"],
    )
