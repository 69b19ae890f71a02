"""Floor 6: figures of networks with memory, and a report that contains them."""
