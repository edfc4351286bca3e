"""Bars are for people: on a terminal, and for long work."""

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
