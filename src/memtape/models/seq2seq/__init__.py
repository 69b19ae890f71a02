"""Seq2Seq: encoder and decoder."""
