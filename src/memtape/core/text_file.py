"""Text file: the text in the bytes of a file, the same whichever editor or system has written it."""

import codecs

OTHER_ENCODINGS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
"""Byte order marks of other encodings, the longest first."""


def decoded(content: bytes) -> str:
    r"""Return the text of a file in UTF-8.

    A byte order mark is left out, every end of a line is `\n`, and blank lines at the end are left out.

    Raises:
        ValueError: the bytes are not UTF-8; the message continues a sentence that starts with the file's name.
    """
    for mark, encoding in OTHER_ENCODINGS.items():
        if content.startswith(mark):
            raise ValueError(f"is {encoding} by its byte order mark, not UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"is not UTF-8 at byte {error.start}") from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = text.rstrip()
    end = text.find("\n", len(kept))
    return text if end < 0 else text[: end + 1]


def lines_of(text: str) -> list[str]:
    """Return the lines of a text that `decoded` returned; other characters that end lines in Python are part of a line."""
    return text.removesuffix("\n").split("\n") if text else []
