"""Floor 4: figures of networks with memory, and a report that contains them."""
