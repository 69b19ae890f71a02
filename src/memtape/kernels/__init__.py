"""Floor 2, kernels: fused kernels that run whole sequences in one call."""
