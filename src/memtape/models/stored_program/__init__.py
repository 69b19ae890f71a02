"""Stored program: networks that keep the programs of their heads in a memory."""
