"""Papers: those that more than one model or task comes from."""

GRAVES_2016 = "Graves et al. (2016), Hybrid computing using a neural network with dynamic external memory, Nature 538"
CSORDAS_2019 = (
    "Csordas & Schmidhuber (2019), Improving differentiable neural computers through memory masking, de-allocation, and link "
    "distribution sharpness control, arXiv:1904.10278"
)
RAE_2016 = "Rae et al. (2016), Scaling memory-augmented neural networks with sparse reads and writes, arXiv:1610.09027"
GRAVES_2014 = "Graves, Wayne & Danihelka (2014), Neural Turing Machines, arXiv:1410.5401"
