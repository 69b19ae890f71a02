"""Backends: the ways in which a network can be run here."""


def backends() -> dict[str, str | None]:
    """Return each backend with the reason why it is absent, None if it is present."""
    unbuilt = "this version has no fused kernels yet"
    return {"reference": None, "cpu": unbuilt, "triton": unbuilt}
