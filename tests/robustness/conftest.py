"""The programs of this folder are run by tests/end_to_end and from the command line; pytest collects none of them."""

collect_ignore_glob = ["*.py"]
