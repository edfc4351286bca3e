"""Progress bars are shown on a terminal, and for long work."""

import io

import pytest
from rich.console import Console

from tfgen import progress


@pytest.mark.parametrize(
    ("terminal", "count", "bar"), [(True, 20, True), (True, 3, False), (False, 20, False)]
)
def test_long_work_has_a_bar_on_a_terminal(terminal, count, bar):
    written = io.StringIO()
    console = Console(file=written, force_terminal=terminal, width=60)
    assert list(progress.track(range(count), "sampling", console)) == list(range(count))
    assert ("sampling" in written.getvalue()) == bar


@pytest.mark.parametrize("terminal", [True, False])
def test_a_transfer_counts_bytes_from_where_it_was_cut(terminal):
    written = io.StringIO()
    console = Console(file=written, force_terminal=terminal, width=100)
    with progress.transfer_bar("model.keras", 4000, 1000, console) as advance:
        advance(3000)
    assert ("model.keras" in written.getvalue()) == terminal
    assert ("4.0/4.0 kB" in written.getvalue()) == terminal
