"""Entity: the slots of a recurrent entity network, which read the sentences of stories one after another.

The reference is `memtape.models.memory_network.entnet`.
"""

from memtape.kernels.entity.cpu import entities_on_cpu
from memtape.kernels.entity.form import EntityEngine, EntitySteps

ENGINES: dict[str, EntityEngine] = {"cpu": entities_on_cpu}
"""The engines by the name of the backend."""

__all__ = ["ENGINES", "EntityEngine", "EntitySteps", "entities_on_cpu"]
