"""Floor 6: networks whose memory is a matrix of associations."""
