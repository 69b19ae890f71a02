"""Floor 6: `LSTM`, `GRU` and `RNN` in place of those of `torch.nn`: same arguments, parameters, states and results."""

from memtape.nn.gru import GRU
from memtape.nn.lstm import LSTM
from memtape.nn.rnn import RNN

__all__ = ["GRU", "LSTM", "RNN"]
