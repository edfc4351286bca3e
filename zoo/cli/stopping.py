"""How a training that is stopped by a signal ends: in words, with the command that goes on."""

import contextlib
import shlex
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import click


class Terminated(BaseException):
    """SIGTERM, raised where KeyboardInterrupt would be."""


@contextlib.contextmanager
def resumable(out: Path, record: str, words: Sequence[str] = ()) -> Iterator[None]:
    """Ends a stopped training in words: 130 after Ctrl-C and 143 after SIGTERM, as shells expect.

    Args:
        out: Folder that is trained in.
        record: Pattern of files in it, of which one says that there is something to go on with.
        words: Arguments of `tfgen train` beside --resume and --out.
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
            click.echo(f"Stopped. It goes on from the last whole epoch with: {command}", err=True)
        else:
            click.echo("Stopped before anything was written.", err=True)
        number = signal.SIGINT if isinstance(stop, KeyboardInterrupt) else signal.SIGTERM
        raise SystemExit(128 + number) from None
    finally:
        signal.signal(signal.SIGTERM, before)
