"""A text is the same with a byte order mark, with the ends of lines of other systems and with blank lines at its end."""

import pytest

from memtape.core.text_file import decoded, lines_of

TEXT = "löv\n\n it\x0c is \n"


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\r").encode(),
        (TEXT + "\n \n\t\n").encode(),
        (TEXT + "\n  ").encode(),
    ],
)
def test_a_text_is_the_same_however_it_was_written(content):
    assert decoded(content) == TEXT
    assert lines_of(TEXT) == ["löv", "", " it\x0c is "]


def test_a_text_without_an_end_of_line_stays_as_it_is():
    assert decoded(b"abc ") == "abc "
    assert decoded(b"") == ""
    assert lines_of("") == []
    assert lines_of("abc") == ["abc"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_other_encodings_are_named(encoding):
    with pytest.raises(ValueError, match=f"is {encoding.upper()} by its byte order mark, not UTF-8"):
        decoded("abc".encode(encoding))


def test_the_first_invalid_byte_is_named():
    with pytest.raises(ValueError, match="is not UTF-8 at byte 2"):
        decoded(b"ab\xffc\xff")
