"""Floor 4, looking inside: figures of what a network with memory did, and a report that gathers them."""
