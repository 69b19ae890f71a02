"""DNC: the Differentiable Neural Computer and its bidirectional form."""
