"""Model entries: the models by name, with what each is, its paper, and where its class and its constructor are."""

from memtape.catalog.entry import Entry
from memtape.catalog.papers import GRAVES_2014, GRAVES_2016, RAE_2016

MODELS = {
    entry.name: entry
    for entry in (
        Entry(
            name="ntm",
            summary="Neural Turing Machine: a controller that reads and writes a tape of slots.",
            paper=GRAVES_2014,
            path="memtape.models.ntm.ntm:NTM",
            constructor="memtape.models.ntm.ntm:NTMCell",
        ),
        Entry(
            name="dnc",
            summary="Differentiable Neural Computer: a memory that allocates and frees slots, and links them in order.",
            paper=GRAVES_2016,
            path="memtape.models.dnc.dnc:DNC",
            constructor="memtape.models.dnc.dnc:DNCCell",
        ),
        Entry(
            name="bidnc",
            summary="Differentiable Neural Computer whose heads know what comes next, from a network that reads from the end.",
            paper="Franke, Niehues & Waibel (2018), Robust and scalable differentiable neural computer, arXiv:1807.02658",
            path="memtape.models.dnc.bidnc:BiDNC",
            constructor="memtape.models.dnc.dnc:DNCCell",
        ),
        Entry(
            name="sam",
            summary="Sparse Access Memory: reads the few nearest slots and writes to a few, however many slots there are.",
            paper=RAE_2016,
            path="memtape.models.sam.sam:SAM",
            constructor="memtape.models.sam.sam:SAMCell",
        ),
        Entry(
            name="dam",
            summary="Dense Access Memory: the same with weights on all slots, to compare a sparse memory with.",
            paper=RAE_2016,
            path="memtape.models.sam.sam:DAM",
            constructor="memtape.models.sam.sam:DAMCell",
        ),
        Entry(
            name="sdnc",
            summary="Sparse Differentiable Neural Computer: a Sparse Access Memory that also follows links of order.",
            paper=RAE_2016,
            path="memtape.models.sam.sdnc:SDNC",
            constructor="memtape.models.sam.sdnc:SDNCCell",
        ),
        Entry(
            name="elman",
            summary="Plain recurrent network: layers of units that see what they were a step ago.",
            paper="Elman (1990), Finding structure in time, Cognitive Science 14",
            path="memtape.models.recurrent.elman:Elman",
            constructor="memtape.models.recurrent.elman:elman_network",
        ),
        Entry(
            name="jordan",
            summary="Jordan network: units that see what the network said a step ago, taught with what it should have said.",
            paper="Jordan (1986), Serial order: a parallel distributed processing approach, ICS report 8604",
            path="memtape.models.recurrent.jordan:Jordan",
            constructor="memtape.models.recurrent.jordan:jordan_network",
        ),
        Entry(
            name="lstm",
            summary="Stacked LSTM layers with a linear readout, in all forms of the cell.",
            paper="Hochreiter & Schmidhuber (1997), Long short-term memory, Neural Computation 9",
            path="memtape.models.recurrent.lstm:StackedLSTM",
            constructor="memtape.models.recurrent.lstm:StackedLSTMCell",
        ),
        Entry(
            name="gru",
            summary="Layers of gated recurrent units, in the three forms that are called so.",
            paper="Cho et al. (2014), Learning phrase representations using RNN encoder-decoder, arXiv:1406.1078",
            path="memtape.models.recurrent.gru:GRU",
            constructor="memtape.models.recurrent.gru:gru_network",
        ),
        Entry(
            name="leaky",
            summary="Layers of leaky units, each with a time constant of its own, fixed or learned.",
            paper="Mozer (1992), Induction of multiscale temporal structure, NIPS 4",
            path="memtape.models.recurrent.leaky:Leaky",
            constructor="memtape.models.recurrent.leaky:leaky_network",
        ),
        Entry(
            name="lru",
            summary="Linear recurrent units: complex units that decay and rotate, in parallel over time.",
            paper="Orvieto et al. (2023), Resurrecting recurrent neural networks for long sequences, arXiv:2303.06349",
            path="memtape.models.recurrent.lru:LRU",
            constructor="memtape.models.recurrent.lru:lru_network",
        ),
        Entry(
            name="skip",
            summary="Plain units that also, or only, see what they were some steps ago.",
            paper="Lin, Horne, Tino & Giles (1996), Learning long-term dependencies in NARX networks, IEEE TNN 7",
            path="memtape.models.recurrent.skip:Skip",
            constructor="memtape.models.recurrent.skip:skip_network",
        ),
        Entry(
            name="orthogonal",
            summary="Plain units whose recurrence only turns: an orthogonal matrix, kept so while it is learned.",
            paper="Lezcano-Casado & Martinez-Rubio (2019), Cheap orthogonal constraints in neural networks, arXiv:1901.08428",
            path="memtape.models.recurrent.orthogonal:Orthogonal",
            constructor="memtape.models.recurrent.orthogonal:orthogonal_network",
        ),
        Entry(
            name="clockwork",
            summary="Clockwork RNN: groups of plain units, each working at its own rate.",
            paper="Koutnik, Greff, Gomez & Schmidhuber (2014), A clockwork RNN, arXiv:1402.3511",
            path="memtape.models.recurrent.clockwork:Clockwork",
            constructor="memtape.models.recurrent.clockwork:clockwork_network",
        ),
        Entry(
            name="esn",
            summary="Echo state network: a random reservoir that stays as it is, under a readout that is learned.",
            paper="Jaeger (2001), The echo state approach to analysing and training recurrent neural networks, GMD report 148",
            path="memtape.models.recurrent.esn:EchoState",
            constructor="memtape.models.recurrent.esn:echo_state_network",
        ),
        Entry(
            name="bilstm",
            summary="LSTM layers that read from both ends.",
            paper="Graves & Schmidhuber (2005), Framewise phoneme classification with bidirectional LSTM, Neural Networks 18",
            path="memtape.models.recurrent.bidirectional:BiLSTM",
            constructor="memtape.models.recurrent.bidirectional:BiLSTM",
        ),
        Entry(
            name="bigru",
            summary="Layers of gated recurrent units that read from both ends.",
            paper="Schuster & Paliwal (1997), Bidirectional recurrent neural networks, IEEE TSP 45",
            path="memtape.models.recurrent.bidirectional:BiGRU",
            constructor="memtape.models.recurrent.bidirectional:BiGRU",
        ),
        Entry(
            name="seq2seq",
            summary="Encoder and decoder, with a context vector or with attention to all that was read.",
            paper="Sutskever, Vinyals & Le (2014), arXiv:1409.3215; Bahdanau, Cho & Bengio (2015), arXiv:1409.0473",
            path="memtape.models.seq2seq.seq2seq:Seq2Seq",
            constructor="memtape.models.seq2seq.seq2seq:Seq2Seq",
        ),
        Entry(
            name="treelstm",
            summary="Tree-LSTM over labelled trees: constituency, N-ary or child-sum.",
            paper="Tai, Socher & Manning (2015), Improved semantic representations from Tree-LSTMs, arXiv:1503.00075",
            path="memtape.models.tree.tree_networks:TreeLSTM",
            constructor="memtape.models.tree.tree_networks:TreeLSTM",
        ),
        Entry(
            name="recursive",
            summary="Recursive network over trees: one layer, the same at every node.",
            paper="Socher, Lin, Ng & Manning (2011), Parsing natural scenes and natural language with recursive networks, ICML",
            path="memtape.models.tree.tree_networks:Recursive",
            constructor="memtape.models.tree.tree_networks:Recursive",
        ),
        Entry(
            name="rntn",
            summary="Recursive neural tensor network over trees, whose children meet in products.",
            paper="Socher et al. (2013), Recursive deep models for semantic compositionality over a sentiment treebank, EMNLP",
            path="memtape.models.tree.tree_networks:RNTN",
            constructor="memtape.models.tree.tree_networks:RNTN",
        ),
    )
}
