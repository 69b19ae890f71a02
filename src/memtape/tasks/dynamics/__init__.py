"""Tasks on dynamics: systems that are driven by noise."""
