"""Downloader for `pooch` that resumes an interrupted download, which `pooch` itself starts again."""

import os
from pathlib import Path
from typing import Any

import requests

from tfgen import progress

TIMEOUT = 30  # seconds without a reply or a further byte
CHUNK = 1 << 12  # bytes; an interruption loses the last chunk


class TooLargeError(ValueError):
    """A file has more bytes than were declared."""


class Resuming:
    """Downloader of `pooch.retrieve` that keeps the bytes of an interrupted download.

    Args:
        part: File of the bytes of an unfinished download.
        limit: Largest number of bytes of the file.
    """

    def __init__(self, part: Path, limit: int):
        self.part, self.limit = part, limit

    def __call__(self, url: str, output_file: str, pooch: Any = None) -> None:
        """Write the file at a URL to `output_file`, which `pooch` verifies and moves.

        Raises:
            TooLargeError: The file has more than `limit` bytes.
            requests.exceptions.RequestException: The download fails; the part stays.
        """
        with open(self.part, "ab") as file, self._answer(url, file.tell()) as response:
            if response.status_code != requests.codes.partial:
                file.seek(file.truncate(0))  # the server starts again
            self._receive(response, file)
        os.replace(self.part, output_file)

    def _answer(self, url: str, start: int) -> requests.Response:
        """Return the server's reply, from the byte `start` on if it supports ranges."""
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
        response = requests.get(url, headers=headers, stream=True, timeout=TIMEOUT)
        if response.status_code == requests.codes.requested_range_not_satisfiable and start:
            response.close()
            return self._answer(url, 0)  # the part is no part of this file
        response.raise_for_status()
        begins = response.headers.get("Content-Range", "").startswith(f"bytes {start}-")
        if response.status_code == requests.codes.partial and not begins:
            response.close()
            raise requests.exceptions.InvalidHeader(f"Content-Range of {url} is not from {start}")
        return response

    def _receive(self, response: requests.Response, file: Any) -> None:
        """Append the bytes that the server sends, up to the limit."""
        length = response.headers.get("Content-Length", "")
        declared = file.tell() + int(length) if length.isdecimal() else None
        self._check(declared or 0, response.url)
        with progress.transfer_bar(self.part.stem, declared, file.tell()) as advance:
            for chunk in response.iter_content(CHUNK):
                self._check(file.tell() + len(chunk), response.url)
                file.write(chunk)
                advance(len(chunk))

    def _check(self, size: int, url: str) -> None:
        if size > self.limit:
            self.part.unlink(missing_ok=True)
            raise TooLargeError(
                f"A file of a preset has at most the {self.limit} bytes that its card states. "
                f"Received: more from {url}"
            )
