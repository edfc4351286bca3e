"""Versions of a model: the choice of those to serve, and the state of each."""

import dataclasses
import enum
import re
from pathlib import Path

from tfgen.serving.errors import Code
from tfgen.serving.servable import Servable

LARGEST = 2**63 - 1
LABEL = re.compile(r"[a-zA-Z0-9_]+")
NAME = re.compile(r"[^/:\s]+")


class State(enum.IntEnum):
    """State of a version, numbered as in TensorFlow Serving's ModelVersionStatus."""

    START = 10
    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    END = 50


@dataclasses.dataclass(frozen=True)
class Policy:
    """Choice among the versions on disk: the latest ones, all, or given numbers."""

    latest: int | None = 1
    numbers: frozenset[int] = frozenset()

    @classmethod
    def parse(cls, text: str) -> "Policy":
        """Read `all`, `latest:N` or `N,M`.

        Raises:
            ValueError: The text is none of these.
        """
        if text == "all":
            return cls(latest=None)
        if re.fullmatch(r"latest:[1-9]\d{0,8}", text, re.ASCII):
            return cls(latest=int(text.removeprefix("latest:")))
        if re.fullmatch(r"\d{1,19}(,\d{1,19})*", text, re.ASCII):
            return cls(numbers=frozenset(map(int, text.split(","))))
        raise ValueError(f"Versions are all, latest:N or N,M. Received: versions={text!r}")

    def choose(self, present: set[int]) -> set[int]:
        """Return the versions to serve."""
        if self.numbers:
            return present & self.numbers
        return set(sorted(present)[-self.latest :]) if self.latest else present


@dataclasses.dataclass(frozen=True)
class Source:
    """A model to serve.

    Attributes:
        name: Name in addresses.
        path: Folder of numbered versions, or one version's own folder.
        policy: Choice among the versions.
        labels: Version by label.

    Raises:
        ValueError: The name or a label cannot be part of an address.
    """

    name: str
    path: Path
    policy: Policy = Policy()
    labels: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise ValueError(
                f"A model's name has no '/', ':' and space. Received: name={self.name!r}"
            )
        for label, _ in self.labels:
            if not LABEL.fullmatch(label):
                raise ValueError(
                    f"A label is made of letters, digits and '_'. Received: label={label!r}"
                )

    def folders(self) -> dict[int, Path] | None:
        """Return the folders of versions to serve; None if the path does not exist now."""
        if (self.path / "saved_model.pb").is_file():
            number = self.path.name
            return {int(number) if _is_version(number) else 1: self.path}
        try:
            found = {
                int(p.name): p for p in self.path.iterdir() if _is_version(p.name) and p.is_dir()
            }
        except OSError:
            return None
        return {number: found[number] for number in self.policy.choose(set(found))}


def _is_version(name: str) -> bool:
    return name.isascii() and name.isdecimal() and int(name) <= LARGEST


@dataclasses.dataclass
class Version:
    """A version of a model, from its discovery to its end.

    Attributes:
        number: Number, the name of its folder.
        folder: Folder.
        state: State.
        code: Canonical code of the error that ended it; 0 for no error.
        message: Message of that error.
        servable: The loaded model while it is available, and then until its last request.
        users: Number of requests being computed.
        attempts: Number of times that loading failed.
        tried: Time of the last attempt.
        seen: Names, sizes and times of the files that failed, to try again when they change.
    """

    number: int
    folder: Path
    state: State = State.START
    code: int = 0
    message: str = ""
    servable: Servable | None = None
    users: int = 0
    attempts: int = 0
    tried: float = 0.0
    seen: tuple = ()

    @property
    def code_name(self) -> str:
        """Name of the code in TensorFlow Serving's status."""
        return Code(self.code).name if self.code else "OK"

    def files(self) -> tuple:
        """Return names, sizes and times of the version's files."""
        try:
            stats = [(str(p), p.stat()) for p in sorted(self.folder.rglob("*"))]
        except OSError:
            return ()
        return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)
