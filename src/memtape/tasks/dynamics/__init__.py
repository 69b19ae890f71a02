"""Dynamics tasks: identification of systems driven by noise."""
