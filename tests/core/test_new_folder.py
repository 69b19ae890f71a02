"""New folder: complete or absent, and given to one process only."""

import pytest

from memtape.core.new_folder import new_folder


def test_the_folder_appears_with_its_files_at_the_end(tmp_path):
    with new_folder(tmp_path / "new") as partial:
        (partial / "file").write_text("a")
        assert not (tmp_path / "new").exists()
    assert (tmp_path / "new" / "file").read_text() == "a"
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_the_second_of_two_gets_the_error_and_leaves_the_first_alone(tmp_path):
    def create_slowly():
        with new_folder(tmp_path / "new") as slow:
            (slow / "file").write_text("slow")
            with new_folder(tmp_path / "new") as fast:
                (fast / "file").write_text("fast")

    with pytest.raises(OSError, match="not empty"):
        create_slowly()
    assert (tmp_path / "new" / "file").read_text() == "fast"
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_nothing_is_left_after_an_error(tmp_path):
    with pytest.raises(ValueError, match="stop"), new_folder(tmp_path / "new"):
        raise ValueError("stop")
    assert not list(tmp_path.iterdir())


def test_the_longest_name_of_a_file_is_possible(tmp_path):
    with new_folder(tmp_path / ("x" * 255)):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["x" * 255]
