"""Models being served, whose versions are loaded, replaced and unloaded while requests run."""

import contextlib
import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tfgen.serving.errors import Code, ServingError, cut, from_tensorflow, invalid
from tfgen.serving.servable import Servable
from tfgen.serving.versions import Source, State, Version

Loader = Callable[[str, Version], Servable]

RETRIES = 5
RETRY_SECONDS = 60.0
KEPT_ENDS = 16  # number of ended versions kept in the status, the latest ones

log = logging.getLogger("tfgen.serving")


@dataclasses.dataclass
class Model:
    """A source and its versions by number."""

    source: Source
    versions: dict[int, Version] = dataclasses.field(default_factory=dict)
    wanted: bool = True
    lock: threading.Lock = dataclasses.field(default_factory=threading.Lock)

    def available(self) -> list[int]:
        """Return the numbers of versions that accept requests, ascending."""
        return sorted(n for n, v in self.versions.items() if v.state is State.AVAILABLE)


class Registry:
    """Models by name.

    Args:
        sources: Models to serve.
        load: Function that loads a version.
        lazy: Whether a model is loaded on its first request.
        loaders: Number of models loaded at a time.

    Attributes:
        models: Models by name.
        listeners: Functions to call when the served versions have changed.

    Raises:
        ValueError: Two models have one name.
    """

    def __init__(
        self,
        sources: Iterable[Source],
        load: Loader,
        lazy: bool = False,
        loaders: int = 4,
    ) -> None:
        self.models: dict[str, Model] = {}
        for source in sources:
            if source.name in self.models:
                raise ValueError(f"Names of models must differ. Received: {source.name} twice")
            self.models[source.name] = Model(source, wanted=not lazy)
        self._load = load
        self._lazy = lazy
        self._loaders = loaders
        self._lock = threading.Lock()  # of states; never held while loading
        self._closed = threading.Event()
        self._announced: dict[str, list[int]] = {}
        self.listeners: list[Callable[[], None]] = []

    def poll(self) -> None:
        """Read the folders once: load new versions, then unload those that are no longer wanted."""
        with ThreadPoolExecutor(self._loaders, "tfgen-load") as pool:
            list(pool.map(self._update, self.models.values()))
        served = {name: model.available() for name, model in self.models.items()}
        if served != self._announced:  # since the last time: lazy models are loaded in between
            self._announced = served
            for listener in self.listeners:
                listener()

    def watch(self, seconds: float) -> None:
        """Call `poll` every `seconds` seconds until `close`."""
        while not self._closed.wait(seconds):
            try:
                self.poll()
            except Exception:
                log.exception("Polling failed")

    def close(self) -> None:
        """End `watch`."""
        self._closed.set()

    @property
    def ready(self) -> bool:
        """Whether each model that should be loaded has a version that accepts requests."""
        return all(model.available() for model in self.models.values() if model.wanted)

    def model(self, name: str) -> Model:
        """Return a model.

        Raises:
            ServingError: The model is not served.
        """
        try:
            return self.models[name]
        except KeyError:
            message = f"Could not find any versions of model {name}"
            raise ServingError(Code.NOT_FOUND, message) from None

    def status(self, name: str, number: int | None = None) -> list[Version]:
        """Return the versions of a model, the newest first, or one of them.

        Raises:
            ServingError: There is no such version.
        """
        with self._lock:
            found = sorted(self.model(name).versions.values(), key=lambda v: -v.number)
        if number is not None:
            found = [version for version in found if version.number == number]
            if not found:
                message = f"Could not find version {number} of model {name}"
                raise ServingError(Code.NOT_FOUND, message)
        if not found and self.models[name].wanted:
            message = f"Could not find any versions of model {name}"
            raise ServingError(Code.NOT_FOUND, message)
        return found

    def version_of_label(self, name: str, label: str) -> int:
        """Return the version of a label.

        Raises:
            ServingError: The model is not served, or the label's version is not loaded.
        """
        if name not in self.models:
            raise ServingError(
                Code.NOT_FOUND, f"Servable not found for request: Label({name}, {label})"
            )
        number = dict(self.models[name].source.labels).get(label)
        if number is None or number not in self.models[name].available():
            raise invalid(f"Unrecognized servable version label: {label}")
        return number

    @contextlib.contextmanager
    def use(
        self, name: str, number: int | None = None, label: str | None = None
    ) -> Iterator[Servable]:
        """Keep a version loaded, by default the newest, while within it.

        Raises:
            ServingError: There is no such version.
        """
        self._want(name)
        if label is not None:
            number = self.version_of_label(name, label)
        version = self._acquire(name, number)
        servable: Any = version.servable  # loaded, since it was acquired
        try:
            yield servable
        finally:
            self._release(self.models[name], version)

    def loaded(self, name: str, number: int | None, label: str | None) -> Servable | None:
        """Return a version if it accepts requests now, without waiting and without keeping it loaded."""
        with self._lock:
            model = self.models.get(name)
            available = model.available() if model else []
            if model and label is not None:
                number = dict(model.source.labels).get(label, -1)
            elif available and number is None:
                number = available[-1]
            if model is None or number is None or number not in available:
                return None
            return model.versions[number].servable

    def _want(self, name: str) -> None:
        model = self.models.get(name)
        if self._lazy and model is not None and not model.available():
            self._update(model, wanted=True)  # or wait for the thread that does

    def _acquire(self, name: str, number: int | None) -> Version:
        with self._lock:
            model = self.models.get(name)
            available = model.available() if model else []
            wanted = available[-1:] if number is None else [number]
            if model is None or not set(wanted) & set(available):
                asked = f"Latest({name})" if number is None else f"Specific({name}, {number})"
                raise ServingError(Code.NOT_FOUND, f"Servable not found for request: {asked}")
            version = model.versions[wanted[0]]
            version.users += 1
            return version

    def _release(self, model: Model, version: Version) -> None:
        with self._lock:
            version.users -= 1
            self._end_unused(model, version)

    def _end_unused(self, model: Model, version: Version) -> None:
        if version.state is not State.UNLOADING or version.users:
            return
        version.state, version.servable = State.END, None
        ended = sorted(n for n, v in model.versions.items() if v.state is State.END)
        for number in ended[:-KEPT_ENDS]:
            del model.versions[number]

    def _update(self, model: Model, wanted: bool = False) -> None:
        with model.lock:  # of the one thread that changes this model
            model.wanted |= wanted
            folders = model.source.folders()
            if folders is None:
                return  # a path that is away for a moment ends nothing
            for number, folder in sorted(folders.items(), reverse=True):
                if model.wanted and self._begin(model, number, folder):
                    self._try(model, model.versions[number])
            with self._lock:
                self._drop(model, set(folders))

    def _begin(self, model: Model, number: int, folder) -> bool:
        """Whether to load a version: it is new, or it failed and is due for another attempt."""
        old = model.versions.get(number)
        if old is not None and old.state is not State.END:
            return False
        fresh = Version(number, folder)
        if old is not None and old.code:
            if not self._again(old):
                return False
            fresh.attempts = old.attempts
        with self._lock:
            model.versions[number] = fresh
        return True

    def _again(self, version: Version) -> bool:
        if version.files() != version.seen:
            version.attempts = 0
            return True
        waited = time.monotonic() - version.tried >= RETRY_SECONDS
        return waited and version.attempts <= RETRIES

    def _try(self, model: Model, version: Version) -> None:
        version.state = State.LOADING
        version.seen, version.tried = version.files(), time.monotonic()
        try:
            servable = self._load(model.source.name, version)
        except Exception as error:
            known = error if isinstance(error, ServingError) else _as_serving(error)
            log.warning("%s %d failed to load: %s", model.source.name, version.number, known)
            with self._lock:
                version.attempts += 1
                version.code, version.message = int(known.code), str(known)
                version.state = State.END
            return
        with self._lock:
            version.servable, version.state = servable, State.AVAILABLE

    def _drop(self, model: Model, wanted: set[int]) -> None:
        """Unload unwanted versions, but keep an old version for each wanted one that is broken."""
        old = [number for number in model.available() if number not in wanted]
        broken = sum(
            n in model.versions and model.versions[n].state is not State.AVAILABLE for n in wanted
        )
        for number in old[: len(old) - broken] if broken else old:
            version = model.versions[number]
            version.state = State.UNLOADING
            self._end_unused(model, version)


def _as_serving(error: Exception) -> ServingError:
    import tensorflow as tf

    if isinstance(error, tf.errors.OpError):
        return from_tensorflow(error)
    return ServingError(Code.UNKNOWN, cut(f"{type(error).__name__}: {error}"))
