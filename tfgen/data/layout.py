"""Find the split and class of each picture of a folder from names alone, without opening a file.

    folder/*.png                 pictures without labels
    folder/<class>/**/*.png      one class per sub-folder, with all pictures below it
    folder/train/..., test/...   splits, each laid out like one of the two above

Classes are numbered in the sorted order of their names. `held_out` makes a test split if there is none.
"""

import collections
import dataclasses
import hashlib
import itertools
import os
import pathlib
import unicodedata

import numpy as np

from tfgen.data.decoding import FOREIGN, SUFFIXES
from tfgen.data.subsets import stratified_order

ALIASES = {
    "train": "train", "training": "train",
    "val": "validation", "valid": "validation", "validation": "validation", "dev": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
TOOLS = {  # folders and files that tools leave behind, in lower case; hidden ones begin with a dot
    "__macosx", "@eadir", "@tmp", "@recycle", "#recycle", "$recycle.bin", "lost+found", "__pycache__",
    "system volume information", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r",
}  # fmt: skip
HELD_OUT = 0.1
FEWEST_TO_DIVIDE = 20  # a test split of one picture is useless


@dataclasses.dataclass(frozen=True)
class Member:
    """A picture of a split."""

    path: pathlib.Path
    label: int  # -1: unlabelled


@dataclasses.dataclass(frozen=True)
class Layout:
    """Splits and classes of a folder of pictures.

    Attributes:
        root: The folder.
        class_names: Sorted; empty for pictures without labels.
        splits: Members of each split, by class and then by path.
        passed_over: {reason: number of files and folders}.
        notes: Decisions about the splits, one sentence each.
    """

    root: pathlib.Path
    class_names: tuple[str, ...]
    splits: dict[str, list[Member]]
    passed_over: dict[str, int]
    notes: tuple[str, ...]

    def members(self) -> dict[str, list[Member]]:
        """Splits by name; "validation" also serves as "test" if there is no other."""
        if "validation" in self.splits and "test" not in self.splits:
            return {**self.splits, "test": self.splits["validation"]}
        return self.splits


def layout(name: str | os.PathLike) -> Layout:
    """Return the layout of a folder.

    Raises:
        FileNotFoundError: The folder does not exist.
        ValueError: The folder holds no pictures, or has another layout than those above.
    """
    root = pathlib.Path(name).expanduser()
    if not root.is_dir():
        raise FileNotFoundError(f"There must be a folder of pictures. Received: name={str(name)!r}")
    scan = _Scan()
    roots = _roots(root, scan)
    found = {split: _pictures_of(folder, scan) for split, folder in roots.items()}
    for split, part in found.items():
        if not any(part.values()):
            raise ValueError(
                f"A folder must hold pictures ({' '.join(sorted(SUFFIXES))}). "
                f"Received: name={str(name)!r}, without pictures in {str(roots[split])!r}"
            )
    class_names = _class_names(found)
    ids: dict[str | None, int] = {name: label for label, name in enumerate(class_names)}
    splits = {
        split: [Member(p, ids.get(c, -1)) for c in sorted(part, key=str) for p in part[c]]
        for split, part in found.items()
    }
    splits, notes = _with_test_split(root, splits)
    return Layout(root, class_names, splits, dict(scan.passed_over), notes)


def require_class_folders(
    name: str, class_names: tuple[str, ...], count: int, learner: str
) -> None:
    """Raise if pictures have no classes for a model that learns from labels.

    Args:
        name: Name of the data set.
        class_names: Names of its classes.
        count: Number of pictures.
        learner: Name of the model or recipe, for the error.

    Raises:
        ValueError: There are no classes.
    """
    if not class_names:
        raise ValueError(
            f"{learner} learns from labels, and needs one sub-folder of pictures per class. "
            f"Received: name={str(name)!r}, whose {count} pictures have no class folders"
        )


def _with_test_split(root, splits) -> tuple[dict[str, list[Member]], tuple[str, ...]]:
    """Return the splits with a test split, and notes on how it was made."""
    if "test" in splits or "train" not in splits:
        return splits, ()
    if "validation" in splits:
        return splits, ('there is no test folder: split "test" is the validation folder',)
    train, test = held_out(root, splits["train"])
    if not test:
        fewest = f"fewer than {FEWEST_TO_DIVIDE} pictures"
        return splits, (f"there is no test folder, and none is held out of {fewest}",)
    note = f'there is no test folder: {HELD_OUT:.0%} of the pictures are held out as split "test"'
    return {"train": train, "test": test}, (note,)


def held_out(root: pathlib.Path, members: list[Member]) -> tuple[list[Member], list[Member]]:
    """Return members without a stratified tenth, and that tenth, drawn by the hash of each picture's name.

    The draw is therefore the same on every machine, and a picture that is added or removed moves few
    others.  The only picture of a class is not drawn.
    """
    if len(members) < FEWEST_TO_DIVIDE:
        return members, []
    names = [member.path.relative_to(root).as_posix() for member in members]
    drawn = sorted(
        range(len(members)), key=lambda i: hashlib.sha256(os.fsencode(names[i])).digest()
    )
    labels = np.array([member.label for member in members])
    classes, sizes = np.unique(labels, return_counts=True)
    order = stratified_order(np.array(drawn), labels)
    several = order[np.isin(labels[order], classes[sizes > 1])]
    chosen = set(several[: round(HELD_OUT * len(members))].tolist())
    return (
        [member for i, member in enumerate(members) if i not in chosen],
        [member for i, member in enumerate(members) if i in chosen],
    )


# ---- folders to splits -------------------------------------------------------------------------


def _roots(root, scan) -> dict[str, pathlib.Path]:
    """Return the folder of each split; all of `root` is "train" if it has no split folders."""
    pictures, folders = scan(root)
    splits = {path: ALIASES[path.name.lower()] for path in folders if path.name.lower() in ALIASES}
    others = [path for path in folders if path not in splits]
    if not splits or (others and _is_vehicle(splits, scan)):
        return {"train": root}
    if beside := others + pictures:
        raise ValueError(
            "Split folders (train, validation, test) must not stand beside other folders or pictures. "
            f"Received: {str(next(iter(splits)))!r} beside {str(beside[0])!r}"
        )
    if len(set(splits.values())) < len(splits):
        raise ValueError(
            "A split must have one folder. "
            f"Received: {', '.join(path.name for path in splits)} in {str(root)!r}"
        )
    return dict(sorted((split, path) for path, split in splits.items()))


def _is_vehicle(splits, scan) -> bool:
    """Whether the only split folder, "train", has the layout of a class, beside other classes."""
    return list(splits.values()) == ["train"] and not scan(next(iter(splits)))[1]


# ---- folders to classes ------------------------------------------------------------------------


def _pictures_of(folder, scan) -> dict[str | None, list[pathlib.Path]]:
    """Return {class: pictures}, or {None: pictures} without class folders."""
    direct, folders = scan(folder)
    below = {}
    for path in folders:
        name = unicodedata.normalize("NFC", path.name)  # as macOS does not write it
        if name in below:
            raise ValueError(f"Class folders must differ. Received: {name!r} twice in {folder}")
        _check_outermost(path, scan)
        below[name] = _pictures_below(path, scan)
    if not direct:
        _check_level(folder, below)
        return below or {None: []}
    for name, pictures in below.items():
        if pictures:
            raise ValueError(
                "A folder must hold either pictures or one sub-folder of pictures per class, not "
                f"both. Received: {str(direct[0])!r} beside {str(folder / name)!r}"
            )
        scan.passed_over["a folder without pictures"] += 1
    return {None: direct}


def _check_outermost(folder, scan):
    names = [path.name for path in scan(folder)[1]]
    if names and {name.lower() for name in names} <= ALIASES.keys():
        raise ValueError(
            "Split folders must stand above class folders, as in train/cat and test/cat. "
            f"Received: {', '.join(names)} in {str(folder)!r}"
        )


def _check_level(folder, below):
    if len(below) == 1:
        ((name, pictures),) = below.items()
        if pictures and all(path.parent.parent != folder for path in pictures):
            raise ValueError(
                "A lone sub-folder must hold pictures itself; if its own sub-folders are the classes, "
                f"name it. Received: {str(folder / name)!r}, whose pictures lie deeper"
            )


def _class_names(found) -> tuple[str, ...]:
    names = sorted({name for part in found.values() for name in part if name is not None})
    unlabelled = [split for split, part in found.items() if None in part]
    if names and unlabelled:
        raise ValueError(
            "Either all splits or none must have class folders. "
            f"Received: class folders {', '.join(names[:3])}, and split {unlabelled[0]!r} without"
        )
    spelled = {}
    for name in names:
        if not any(part.get(name) for part in found.values()):
            raise ValueError(
                f"A class folder must hold pictures, or be removed. Received: {name!r} without any"
            )
        other = spelled.setdefault(name.casefold(), name)
        if other != name:
            raise ValueError(
                f"Class folders must differ in more than case. Received: {other!r} and {name!r}"
            )
    return tuple(names)


# ---- files -------------------------------------------------------------------------------------


def _pictures_below(folder, scan, above=()) -> list[pathlib.Path]:
    """Return all pictures of a folder and of its sub-folders, sorted by path."""
    status = os.stat(folder)
    identity = status.st_dev, status.st_ino
    if identity in above:
        raise ValueError(f"A folder must not link to itself. Received: {str(folder)!r}")
    pictures, folders = scan(folder)
    below = [_pictures_below(path, scan, (*above, identity)) for path in folders]
    return sorted(itertools.chain(pictures, *below))


class _Scan:
    """Lists folders, each once; `passed_over` counts entries that are not pictures, by reason."""

    def __init__(self):
        self.passed_over = collections.Counter()
        self._listed = {}

    def __call__(self, folder) -> tuple[list[pathlib.Path], list[pathlib.Path]]:
        """Return (pictures, folders) directly in a folder, sorted; suffixes tell pictures."""
        if folder not in self._listed:
            try:
                self._listed[folder] = self._list(folder)
            except OSError as error:
                raise ValueError(
                    f"A folder must be readable. Received: {str(folder)!r}, {error.strerror}"
                ) from error
        return self._listed[folder]

    def _list(self, folder):
        pictures, folders = [], []
        for entry in _entries(folder):
            suffix = os.path.splitext(entry.name)[1].lower()
            if entry.name.startswith(".") or entry.name.lower() in TOOLS:
                self.passed_over["hidden, or left behind by a tool"] += 1
            elif entry.is_dir():
                folders.append(folder / entry.name)
            elif suffix in FOREIGN:
                raise ValueError(
                    f"Pictures must be of a format that is read ({' '.join(sorted(SUFFIXES))}): convert "
                    f"or remove the others. Received: {entry.path!r}"
                )
            # A broken link counts as a picture: the error names it when it is read.
            elif suffix in SUFFIXES and (entry.is_file() or entry.is_symlink()):
                pictures.append(folder / entry.name)
            else:
                self.passed_over[f"no picture ({suffix or 'without a suffix'})"] += 1
        return sorted(pictures), sorted(folders)


def _entries(folder) -> list[os.DirEntry]:
    with os.scandir(folder) as entries:
        return list(entries)
