"""Floor 6: layers. `LSTM`, `GRU` and `RNN` replace those of `torch.nn`: same arguments, parameters, states and results.

`Hopfield`, `HopfieldPooling` and `HopfieldLayer` are the layers of modern Hopfield networks.
"""

from memtape.nn.gru import GRU
from memtape.nn.hopfield import Hopfield
from memtape.nn.hopfield_layer import HopfieldLayer
from memtape.nn.hopfield_pooling import HopfieldPooling
from memtape.nn.lstm import LSTM
from memtape.nn.rnn import RNN

__all__ = ["GRU", "LSTM", "RNN", "Hopfield", "HopfieldLayer", "HopfieldPooling"]
