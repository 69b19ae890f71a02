"""Tape: machines whose heads write and move on tapes without addresses."""
