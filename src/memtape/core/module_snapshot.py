"""Module snapshot: the tensors that a module uses at one moment, and the same tensors again later."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import Any, NamedTuple

from torch import Tensor, nn
from torch.nn.utils import parametrize

_RESTORING = RLock()


class _Place(NamedTuple):
    """Where a module looks a tensor up, and its number among the tensors of the snapshot."""

    table: dict[Any, Any]
    name: str
    number: int


class ModuleSnapshot:
    """The parameters, the buffers and the mode of a module and its parts at one moment.

    They are the tensors that a call of the module would use: those that `torch.func.functional_call` has set, and inside
    `torch.nn.utils.parametrize.cached` the cached values, which are computed now.

    Args:
        module: the module.
        tensors: receives the tensors, each once, and is not stored.

    Attributes:
        buffers: the numbers of the tensors that are buffers, which a call may change.
    """

    def __init__(self, module: nn.Module, tensors: list[Tensor]):
        self._modes = [(part, part.training) for part in module.modules()]
        self._cached: dict[Any, Any] | None = {} if parametrize._cache_enabled else None
        self._places: list[_Place] = []
        numbers: dict[int, int] = {}

        def note(table: dict[Any, Any], name: Any, tensor: Tensor | None) -> None:
            if tensor is None:
                return
            number = numbers.setdefault(id(tensor), len(tensors))
            if number == len(tensors):
                tensors.append(tensor)
            self._places.append(_Place(table, name, number))

        for part, _ in self._modes:
            for table in (part._parameters, part._buffers):
                for name, tensor in table.items():
                    note(table, name, tensor)
            if self._cached is not None and parametrize.is_parametrized(part):
                for name in part.parametrizations:  # type: ignore[union-attr]
                    note(self._cached, (id(part), name), getattr(part, name))
        buffers = {id(buffer) for part, _ in self._modes for buffer in part._buffers.values()}
        self.buffers = {number for number, tensor in enumerate(tensors) if id(tensor) in buffers}

    @contextmanager
    def restored(self, tensors: Sequence[Tensor]) -> Iterator[None]:
        """Let the module use the given tensors, and the mode of the snapshot, inside a block.

        A tensor that is in its place already is left there, so that other threads may use the module meanwhile.

        Args:
            tensors: one tensor for each of those of the snapshot, in their order.
        """
        with _RESTORING, self._same_cache():
            moved = [place for place in self._places if place.table.get(place.name) is not tensors[place.number]]
            switched = [(part, mode) for part, mode in self._modes if part.training != mode]
            before = [place.table.get(place.name) for place in moved]
            try:
                for place in moved:
                    place.table[place.name] = tensors[place.number]
                for part, mode in switched:
                    part.training = mode
                yield
            finally:
                for place, tensor in zip(moved, before, strict=True):
                    place.table[place.name] = tensor
                for part, mode in switched:
                    part.training = not mode

    @contextmanager
    def _same_cache(self) -> Iterator[None]:
        """Let parametrisations use the cache of the snapshot, or none if it had none."""
        if self._cached is None and not parametrize._cache_enabled:
            yield
            return
        before = parametrize._cache, parametrize._cache_enabled
        cache: dict[Any, Any] = {} if self._cached is None else self._cached
        parametrize._cache, parametrize._cache_enabled = cache, int(self._cached is not None)
        try:
            yield
        finally:
            parametrize._cache, parametrize._cache_enabled = before
            cache.clear()
