"""Matplotlib figures as PNG files; Matplotlib, of the extra `plots`, is imported when one is drawn."""

from pathlib import Path
from typing import Any

from tfgen.atomic import replace_file


def axes(columns: int, size: tuple[float, float] = (4.0, 3.0)) -> Any:
    """Make a Matplotlib figure with axes side by side, each of `size` inches, without global state.

    Returns:
        The `matplotlib.figure.Figure` and a list of its axes.

    Raises:
        ImportError: Matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("Drawing needs the package matplotlib") from error
    figure = Figure(figsize=(size[0] * columns, size[1]), layout="constrained")
    return figure, list(figure.subplots(1, columns, squeeze=False)[0])


def save(figure: Any, path: str | Path) -> str | Path:
    """Write a Matplotlib figure as PNG atomically.

    Returns:
        The path written.

    Raises:
        OSError: The file cannot be written.
    """
    with replace_file(path) as aside:
        figure.savefig(aside, format="png", dpi=150)
    return path
