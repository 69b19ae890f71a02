"""Floor 4: external memories, and the interfaces that compute their control."""

from memtape.memory.associative import (
    CorrelationMemory,
    CorrelationState,
    DenseAssociativeMemory,
    HopfieldNetwork,
    ModernHopfieldNetwork,
    Recollection,
)
from memtape.memory.best_run import best_run
from memtape.memory.both_contents import BothContents, BothState
from memtape.memory.content import ContentControl, ContentInterface, ContentMemory, ContentState
from memtape.memory.dnc import DNCMemory, DNCState
from memtape.memory.dnc_control import DNCControl, LinkExponents, LookUpMasks
from memtape.memory.dnc_interface import DNCInterface
from memtape.memory.encoded import EncodedMemory, EncodedState
from memtape.memory.least_used import (
    LeastUsedControl,
    LeastUsedInterface,
    LeastUsedMemory,
    LeastUsedState,
)
from memtape.memory.link_lists import LinkLists, LinkListState, SlotList
from memtape.memory.links import DenseLinks, LinkState
from memtape.memory.nondeterministic_stack import (
    LimitedStackState,
    NondeterministicStack,
    NondeterministicStackControl,
    NondeterministicStackInterface,
    NondeterministicStackState,
)
from memtape.memory.normalised import Normalised
from memtape.memory.program_options import ProgramOptions
from memtape.memory.protected import Protected
from memtape.memory.several import SeveralInterfaces, SeveralMemories, SeveralState
from memtape.memory.sparse_access import (
    SparseAccessControl,
    SparseAccessInterface,
    SparseAccessMemory,
    SparseAccessState,
)
from memtape.memory.sparse_computer import (
    SparseComputerControl,
    SparseComputerInterface,
    SparseComputerMemory,
    SparseComputerState,
)
from memtape.memory.sparse_links import SparseLinks, SparseLinkState
from memtape.memory.stack_run import StackRun
from memtape.memory.stored_programs import StoredPrograms
from memtape.memory.strength_stack import (
    StrengthStack,
    StrengthStackControl,
    StrengthStackInterface,
    StrengthStackState,
)
from memtape.memory.superposition_list import (
    SuperpositionList,
    SuperpositionListControl,
    SuperpositionListInterface,
    SuperpositionListState,
)
from memtape.memory.superposition_stack import (
    SuperpositionStack,
    SuperpositionStackControl,
    SuperpositionStackInterface,
    SuperpositionStackState,
)
from memtape.memory.tape import JumpState, TapeControl, TapeInterface, TapeMemory, TapeState
from memtape.memory.turing import TuringControl, TuringInterface, TuringMemory, TuringState
from memtape.memory.write_cache import CachedControl, CachedInterface, CachedState, CachedWrites

__all__ = [
    "BothContents",
    "BothState",
    "CachedControl",
    "CachedInterface",
    "CachedState",
    "CachedWrites",
    "ContentControl",
    "ContentInterface",
    "ContentMemory",
    "ContentState",
    "CorrelationMemory",
    "CorrelationState",
    "DNCControl",
    "DNCInterface",
    "DNCMemory",
    "DNCState",
    "DenseAssociativeMemory",
    "DenseLinks",
    "EncodedMemory",
    "EncodedState",
    "HopfieldNetwork",
    "JumpState",
    "LeastUsedControl",
    "LeastUsedInterface",
    "LeastUsedMemory",
    "LeastUsedState",
    "LimitedStackState",
    "LinkExponents",
    "LinkListState",
    "LinkLists",
    "LinkState",
    "LookUpMasks",
    "ModernHopfieldNetwork",
    "NondeterministicStack",
    "NondeterministicStackControl",
    "NondeterministicStackInterface",
    "NondeterministicStackState",
    "Normalised",
    "ProgramOptions",
    "Protected",
    "Recollection",
    "SeveralInterfaces",
    "SeveralMemories",
    "SeveralState",
    "SlotList",
    "SparseAccessControl",
    "SparseAccessInterface",
    "SparseAccessMemory",
    "SparseAccessState",
    "SparseComputerControl",
    "SparseComputerInterface",
    "SparseComputerMemory",
    "SparseComputerState",
    "SparseLinkState",
    "SparseLinks",
    "StackRun",
    "StoredPrograms",
    "StrengthStack",
    "StrengthStackControl",
    "StrengthStackInterface",
    "StrengthStackState",
    "SuperpositionList",
    "SuperpositionListControl",
    "SuperpositionListInterface",
    "SuperpositionListState",
    "SuperpositionStack",
    "SuperpositionStackControl",
    "SuperpositionStackInterface",
    "SuperpositionStackState",
    "TapeControl",
    "TapeInterface",
    "TapeMemory",
    "TapeState",
    "TuringControl",
    "TuringInterface",
    "TuringMemory",
    "TuringState",
    "best_run",
]
