"""End of a training that a signal stops: a message with the command that resumes it."""

import contextlib
import shlex
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import click


class Terminated(BaseException):
    """SIGTERM, raised as KeyboardInterrupt is."""


@contextlib.contextmanager
def resumable(out: Path, record: str, words: Sequence[str] = ()) -> Iterator[None]:
    """End a stopped training with a message and exit code 130 after Ctrl-C, 143 after SIGTERM.

    Args:
        out: Folder of the training.
        record: Pattern of files in it; if one exists, the training can be resumed.
        words: Arguments of `tfgen train` besides --resume and --out.
    """

    def terminate(number, frame) -> NoReturn:
        raise Terminated

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    except (KeyboardInterrupt, Terminated) as stop:
        if any(out.glob(record)):
            command = ["tfgen", "train", *words, "--resume", "--out", str(out.resolve())]
            command = shlex.join(command)
            click.echo(f"Stopped. To resume from the last whole epoch: {command}", err=True)
        else:
            click.echo("Stopped before anything was written.", err=True)
        number = signal.SIGINT if isinstance(stop, KeyboardInterrupt) else signal.SIGTERM
        raise SystemExit(128 + number) from None
    finally:
        signal.signal(signal.SIGTERM, before)
