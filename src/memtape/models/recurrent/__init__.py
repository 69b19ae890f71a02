"""Recurrent: networks without external memory."""
