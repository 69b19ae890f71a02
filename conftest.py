"""Run the Python blocks of the documents as tests."""

from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

pytest_collect_file = Sybil(parsers=[PythonCodeBlockParser()], patterns=["*.md"]).pytest()

collect_ignore_glob = ["docs/*.py"]  # the configuration and the extensions of Sphinx are no tests
