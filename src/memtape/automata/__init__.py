"""Floor 8: automata and grammars, networks compiled from them, and automata extracted from networks."""

from memtape.automata.compilers.acceptor import Acceptor
from memtape.automata.compilers.certificate import Certificate
from memtape.automata.compilers.chart_parser import ChartParser
from memtape.automata.compilers.compile import compile
from memtape.automata.compilers.rational_stacks import StackProgram
from memtape.automata.compilers.tape_program import TapeProgram
from memtape.automata.definitions.counters import CounterMachine
from memtape.automata.definitions.dfa import DFA
from memtape.automata.definitions.errors import AutomatonError
from memtape.automata.definitions.grammar import Grammar, Rule
from memtape.automata.definitions.pda import PDA, StackMove
from memtape.automata.definitions.text_format import parse, read
from memtape.automata.definitions.tomita import tomita
from memtape.automata.definitions.turing import Configuration, TapeMove, TuringMachine
from memtape.automata.definitions.two_stacks import TwoStackConfiguration, TwoStackMachine
from memtape.automata.definitions.worked_machines import (
    brackets,
    busy_beaver,
    equal_counts,
    increment,
    palindromes,
)
from memtape.automata.drawing.graph_text import dot
from memtape.automata.extraction.extract import Extraction, extract
from memtape.automata.extraction.pushdown import PDAExtraction, extract_pda

__all__ = [
    "DFA",
    "PDA",
    "Acceptor",
    "AutomatonError",
    "Certificate",
    "ChartParser",
    "Configuration",
    "CounterMachine",
    "Extraction",
    "Grammar",
    "PDAExtraction",
    "Rule",
    "StackMove",
    "StackProgram",
    "TapeMove",
    "TapeProgram",
    "TuringMachine",
    "TwoStackConfiguration",
    "TwoStackMachine",
    "brackets",
    "busy_beaver",
    "compile",
    "dot",
    "equal_counts",
    "extract",
    "extract_pda",
    "increment",
    "palindromes",
    "parse",
    "read",
    "tomita",
]
