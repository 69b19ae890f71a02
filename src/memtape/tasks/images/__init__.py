"""Tasks on images, which are read as sequences."""
