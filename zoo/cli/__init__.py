"""The `tfgen` command.  Only commands that compute import TensorFlow."""

import signal
from typing import Any

import click

import tfgen
from zoo.cli import describing, drawing, reproducing, serving, several, sharing, training, working

REFUSALS = (ValueError, TypeError, OSError, ImportError)


class Commands(click.Group):
    """Command group that prints an error that states a broken rule in one line and exits with code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # click ends quietly when a pipe's reader has gone
        except REFUSALS as error:
            raise click.ClickException(" ".join(str(error).split())) from error
        except KeyboardInterrupt:
            click.echo("Stopped.", err=True)
            ctx.exit(128 + signal.SIGINT)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(tfgen.__version__)
def main() -> None:
    """Deep generative models of Hu et al. (2018), pretrained.

    MODEL is a preset's name, a preset's folder, a .keras file or hf://owner/name.
    """


for _command in (
    describing.list_presets,
    describing.info,
    drawing.sample,
    drawing.interpolate,
    drawing.traverse,
    drawing.latent_map,
    drawing.reconstruct,
    drawing.translate,
    training.train,
    working.evaluate,
    several.compare,
    working.symmetry,
    working.export,
    serving.serve,
    sharing.publish,
    sharing.push,
    describing.theory,
    reproducing.reproduce,
):
    main.add_command(_command)
