"""`keystead serve`"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from server.cli.shared import data_option
from server.setting_values import flag
from server.settings import TABLE, BadSetting, Setting, load


def _option(setting: Setting) -> Callable[[Any], Any]:
    """A command-line option of a row in the settings' table."""
    if setting.parse is flag:
        return click.option(setting.flag, setting.attribute, is_flag=True, default=None, help=setting.help)
    return click.option(
        setting.flag, setting.attribute, multiple=setting.many, metavar="VALUE", help=setting.help
    )


def _options(function: Any) -> Any:
    for setting in reversed([setting for setting in TABLE if setting.on_command_line]):
        function = _option(setting)(function)
    return function


@click.command()
@data_option
@_options
def serve(data: Path, **given: Any) -> None:
    """Serve the data directory DIR, and make it on first use: an unseal key, a database, a first account.

    Prints `keystead: ready …` once it answers. Ends on SIGTERM or Ctrl-C, after the calls in flight. Every option may
    also stand in DIR/keystead.toml, or in the environment as KEYSTEAD_…; the command line wins.

    \b
    Examples:
      keystead serve --data ./data
      keystead serve --data ./data --tls-listen 127.0.0.1:8751 --resolver 127.0.0.1:5353
      keystead serve --data ./data --test-clock      # `keystead clock advance` may then move its time
    """
    from server.forking import Refused
    from server.serving import serve as serve_until_told

    names = {setting.attribute: setting.name for setting in TABLE}
    flags = {
        names[attribute]: str(value).lower() if value is True else value for attribute, value in given.items()
    }
    try:
        serve_until_told(load(data, flags, os.environ))
    except BadSetting as error:
        raise click.UsageError(str(error)) from error
    except Refused as error:
        raise click.ClickException(str(error)) from error
