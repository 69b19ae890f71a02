# Written by `python docs/generated.py`.

from memtape import automata as automata
from memtape import cells as cells
from memtape import core as core
from memtape import deploy as deploy
from memtape import memory as memory
from memtape import nn as nn
from memtape import ops as ops
from memtape import ports as ports
from memtape import theory as theory
from memtape.core import state_tree as tree
from memtape.core.backends import use_backend as use_backend
from memtape.core.batch import SequenceBatch as SequenceBatch
from memtape.core.card import ModelCard as ModelCard
from memtape.core.card import TaskCard as TaskCard
from memtape.core.cell import Cell as Cell
from memtape.core.collate import collate as collate
from memtape.core.data_record import DataRecord as DataRecord
from memtape.core.fold import fold as fold
from memtape.core.inputs.pairs import Pairs as Pairs
from memtape.core.inputs.stories import Stories as Stories
from memtape.core.inputs.trees import Trees as Trees
from memtape.core.inputs.two_views import TwoViews as TwoViews
from memtape.core.memory import Interface as Interface
from memtape.core.memory import Memory as Memory
from memtape.core.missing_kernels import MissingKernelsWarning as MissingKernelsWarning
from memtape.core.recurrent import Recurrent as Recurrent
from memtape.core.state import state as state
from memtape.core.task import DrawnTask as DrawnTask
from memtape.core.task import HeldTask as HeldTask
from memtape.core.task import Task as Task
from memtape.core.trace import Trace as Trace
from memtape.core.tree_cell import TreeCell as TreeCell
from memtape.core.unroll import unroll as unroll
from memtape.experiments.evaluate import evaluate as evaluate
from memtape.experiments.fit import Fit as Fit
from memtape.experiments.fit import fit as fit
from memtape.experiments.loaded_run import LoadedRun as LoadedRun
from memtape.experiments.loaded_run import load as load
from memtape.inference.decoding import beam_search as beam_search
from memtape.inference.decoding import greedy as greedy
from memtape.inference.generation import generate as generate
from memtape.models.associative.fast_weights import FastWeights as FastWeights
from memtape.models.associative.shm import SHM as SHM
from memtape.models.associative.stm import STM as STM
from memtape.models.associative.stm import ItemGates as ItemGates
from memtape.models.associative.stm import STMCell as STMCell
from memtape.models.associative.stm import STMState as STMState
from memtape.models.dnc.bidnc import BiDNC as BiDNC
from memtape.models.dnc.dnc import DNC as DNC
from memtape.models.dnc.dnc import DNCCell as DNCCell
from memtape.models.machine.augmented import AugmentedCell as AugmentedCell
from memtape.models.machine.scheduled import ScheduledCell as ScheduledCell
from memtape.models.mann.mann import MANN as MANN
from memtape.models.mann.mann import MANNCell as MANNCell
from memtape.models.memory_network.dmn import DMN as DMN
from memtape.models.memory_network.dmn import FactMemory as FactMemory
from memtape.models.memory_network.entnet import EntityMemory as EntityMemory
from memtape.models.memory_network.entnet import EntNet as EntNet
from memtape.models.memory_network.kvmemnn import KeyQuery as KeyQuery
from memtape.models.memory_network.kvmemnn import KeyValueSlots as KeyValueSlots
from memtape.models.memory_network.kvmemnn import KVMemNN as KVMemNN
from memtape.models.memory_network.memn2n import MemN2N as MemN2N
from memtape.models.memory_network.memn2n import SentenceMemory as SentenceMemory
from memtape.models.memory_network.memn2n_lm import MemN2NLanguageModel as MemN2NLanguageModel
from memtape.models.memory_network.memnn import FactQuestion as FactQuestion
from memtape.models.memory_network.memnn import Facts as Facts
from memtape.models.memory_network.memnn import MemNN as MemNN
from memtape.models.ntm.ntm import NTM as NTM
from memtape.models.ntm.ntm import NTMCell as NTMCell
from memtape.models.recurrent.bigru import BiGRU as BiGRU
from memtape.models.recurrent.bilstm import BiLSTM as BiLSTM
from memtape.models.recurrent.clockwork import Clockwork as Clockwork
from memtape.models.recurrent.elman import Elman as Elman
from memtape.models.recurrent.esn import EchoState as EchoState
from memtape.models.recurrent.gru import GRU as GRU
from memtape.models.recurrent.jordan import Jordan as Jordan
from memtape.models.recurrent.leaky import Leaky as Leaky
from memtape.models.recurrent.lru import LRU as LRU
from memtape.models.recurrent.lstm import StackedLSTM as StackedLSTM
from memtape.models.recurrent.lstm import StackedLSTMCell as StackedLSTMCell
from memtape.models.recurrent.orthogonal import Orthogonal as Orthogonal
from memtape.models.recurrent.skip import Skip as Skip
from memtape.models.sam.dam import DAM as DAM
from memtape.models.sam.dam import DAMCell as DAMCell
from memtape.models.sam.sam import SAM as SAM
from memtape.models.sam.sam import SAMCell as SAMCell
from memtape.models.sam.sdnc import SDNC as SDNC
from memtape.models.sam.sdnc import SDNCCell as SDNCCell
from memtape.models.seq2seq.seq2seq import Seq2Seq as Seq2Seq
from memtape.models.several_memories.dcw import DCwMANN as DCwMANN
from memtape.models.several_memories.dmnc import DMNC as DMNC
from memtape.models.several_memories.dmnc import DMNCState as DMNCState
from memtape.models.stack.dequelstm import DequeLSTM as DequeLSTM
from memtape.models.stack.dequelstm import DequeLSTMCell as DequeLSTMCell
from memtape.models.stack.listrnn import ListRNN as ListRNN
from memtape.models.stack.listrnn import ListRNNCell as ListRNNCell
from memtape.models.stack.nsrnn import NSRNN as NSRNN
from memtape.models.stack.nsrnn import NSRNNCell as NSRNNCell
from memtape.models.stack.queuelstm import QueueLSTM as QueueLSTM
from memtape.models.stack.queuelstm import QueueLSTMCell as QueueLSTMCell
from memtape.models.stack.stacklstm import StackLSTM as StackLSTM
from memtape.models.stack.stacklstm import StackLSTMCell as StackLSTMCell
from memtape.models.stack.stackrnn import StackRNN as StackRNN
from memtape.models.stack.stackrnn import StackRNNCell as StackRNNCell
from memtape.models.stored_program.nutm import NUTM as NUTM
from memtape.models.stored_program.nutm import NUTMCell as NUTMCell
from memtape.models.tape.babyntm import BabyNTM as BabyNTM
from memtape.models.tape.babyntm import BabyNTMCell as BabyNTMCell
from memtape.models.tape.taperrnn import TapeRNN as TapeRNN
from memtape.models.tape.taperrnn import TapeRNNCell as TapeRNNCell
from memtape.models.tree.recursive import Recursive as Recursive
from memtape.models.tree.rntn import RNTN as RNTN
from memtape.models.tree.treelstm import TreeLSTM as TreeLSTM
from memtape.tasks.algorithmic.allocation import Allocation as Allocation
from memtape.tasks.algorithmic.associative_recall import AssociativeRecall as AssociativeRecall
from memtape.tasks.algorithmic.associative_retrieval import AssociativeRetrieval as AssociativeRetrieval
from memtape.tasks.algorithmic.continual import Continual as Continual
from memtape.tasks.algorithmic.copying import Copy as Copy
from memtape.tasks.algorithmic.independent_copies import IndependentCopies as IndependentCopies
from memtape.tasks.algorithmic.key_value import KeyValue as KeyValue
from memtape.tasks.algorithmic.ngrams import DynamicNGrams as DynamicNGrams
from memtape.tasks.algorithmic.nth_farthest import NthFarthest as NthFarthest
from memtape.tasks.algorithmic.priority_sort import PrioritySort as PrioritySort
from memtape.tasks.algorithmic.repeat_copy import RepeatCopy as RepeatCopy
from memtape.tasks.algorithmic.repeat_copy_dnc import RepeatCopyDNC as RepeatCopyDNC
from memtape.tasks.algorithmic.sequencing import Sequencing as Sequencing
from memtape.tasks.dynamics.narma import Narma as Narma
from memtape.tasks.dynamics.sinusoid import Sinusoid as Sinusoid
from memtape.tasks.formal.binary_sums import BinarySums as BinarySums
from memtape.tasks.formal.chomsky import Chomsky as Chomsky
from memtape.tasks.formal.context_free import ContextFree as ContextFree
from memtape.tasks.formal.counting import Counting as Counting
from memtape.tasks.formal.dyck import Dyck as Dyck
from memtape.tasks.formal.memorisation import Memorisation as Memorisation
from memtape.tasks.formal.tomita import Tomita as Tomita
from memtape.tasks.formal.transduction import Transduction as Transduction
from memtape.tasks.formal.undo import Undo as Undo
from memtape.tasks.formal.word_problem import WordProblem as WordProblem
from memtape.tasks.graph.inference import Inference as Inference
from memtape.tasks.graph.shortest_path import ShortestPath as ShortestPath
from memtape.tasks.graph.traversal import Traversal as Traversal
from memtape.tasks.images.digits import Digits as Digits
from memtape.tasks.images.few_shot import FewShot as FewShot
from memtape.tasks.integers.listing import Listing as Listing
from memtape.tasks.integers.odd_even import OddEven as OddEven
from memtape.tasks.integers.sum2 import Sum2 as Sum2
from memtape.tasks.language.boolean import Boolean as Boolean
from memtape.tasks.language.characters import Characters as Characters
from memtape.tasks.language.document_classes import DocumentClasses as DocumentClasses
from memtape.tasks.language.scan import Scan as Scan
from memtape.tasks.language.sentiment import Sentiment as Sentiment
from memtape.tasks.language.words import Words as Words
from memtape.tasks.long_range.adding import Adding as Adding
from memtape.tasks.long_range.copy_memory import CopyMemory as CopyMemory
from memtape.tasks.music.chorales import Chorales as Chorales
from memtape.tasks.stories.babi import Babi as Babi
from memtape.tasks.stories.babi_words import BabiWords as BabiWords
from memtape.tasks.stories.lookup import DocumentLookup as DocumentLookup
from memtape.training.settings import TrainSettings as TrainSettings
from memtape.version import __version__ as __version__

__all__ = [
    "DAM",
    "DMN",
    "DMNC",
    "DNC",
    "GRU",
    "LRU",
    "MANN",
    "NSRNN",
    "NTM",
    "NUTM",
    "RNTN",
    "SAM",
    "SDNC",
    "SHM",
    "STM",
    "Adding",
    "Allocation",
    "AssociativeRecall",
    "AssociativeRetrieval",
    "AugmentedCell",
    "Babi",
    "BabiWords",
    "BabyNTM",
    "BabyNTMCell",
    "BiDNC",
    "BiGRU",
    "BiLSTM",
    "BinarySums",
    "Boolean",
    "Cell",
    "Characters",
    "Chomsky",
    "Chorales",
    "Clockwork",
    "ContextFree",
    "Continual",
    "Copy",
    "CopyMemory",
    "Counting",
    "DAMCell",
    "DCwMANN",
    "DMNCState",
    "DNCCell",
    "DataRecord",
    "DequeLSTM",
    "DequeLSTMCell",
    "Digits",
    "DocumentClasses",
    "DocumentLookup",
    "DrawnTask",
    "Dyck",
    "DynamicNGrams",
    "EchoState",
    "Elman",
    "EntNet",
    "EntityMemory",
    "FactMemory",
    "FactQuestion",
    "Facts",
    "FastWeights",
    "FewShot",
    "Fit",
    "HeldTask",
    "IndependentCopies",
    "Inference",
    "Interface",
    "ItemGates",
    "Jordan",
    "KVMemNN",
    "KeyQuery",
    "KeyValue",
    "KeyValueSlots",
    "Leaky",
    "ListRNN",
    "ListRNNCell",
    "Listing",
    "LoadedRun",
    "MANNCell",
    "MemN2N",
    "MemN2NLanguageModel",
    "MemNN",
    "Memorisation",
    "Memory",
    "MissingKernelsWarning",
    "ModelCard",
    "NSRNNCell",
    "NTMCell",
    "NUTMCell",
    "Narma",
    "NthFarthest",
    "OddEven",
    "Orthogonal",
    "Pairs",
    "PrioritySort",
    "QueueLSTM",
    "QueueLSTMCell",
    "Recurrent",
    "Recursive",
    "RepeatCopy",
    "RepeatCopyDNC",
    "SAMCell",
    "SDNCCell",
    "STMCell",
    "STMState",
    "Scan",
    "ScheduledCell",
    "SentenceMemory",
    "Sentiment",
    "Seq2Seq",
    "SequenceBatch",
    "Sequencing",
    "ShortestPath",
    "Sinusoid",
    "Skip",
    "StackLSTM",
    "StackLSTMCell",
    "StackRNN",
    "StackRNNCell",
    "StackedLSTM",
    "StackedLSTMCell",
    "Stories",
    "Sum2",
    "TapeRNN",
    "TapeRNNCell",
    "Task",
    "TaskCard",
    "Tomita",
    "Trace",
    "TrainSettings",
    "Transduction",
    "Traversal",
    "TreeCell",
    "TreeLSTM",
    "Trees",
    "TwoViews",
    "Undo",
    "WordProblem",
    "Words",
    "__version__",
    "automata",
    "beam_search",
    "cells",
    "collate",
    "core",
    "deploy",
    "evaluate",
    "fit",
    "fold",
    "generate",
    "greedy",
    "load",
    "memory",
    "nn",
    "ops",
    "ports",
    "state",
    "theory",
    "tree",
    "unroll",
    "use_backend",
]
