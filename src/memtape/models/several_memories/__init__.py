"""Several memories: encoders and decoders with controllers and memories of the Differentiable Neural Computer."""
