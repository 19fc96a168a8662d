"""Commands on a directory that nobody serves: opened here, under the same lock, with a core of its own for the moment."""

import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from server import listeners
from server.admin import client
from server.admin.protocol import NOTHING_THERE, CommandFailed, Progress
from server.boot import Opening, start_core
from server.forking import Refused
from server.hardening import hide_memory
from server.serve_lock import AlreadyServed, ServeLock
from server.settings import BadSetting, Settings, load
from server.unsealed import SecretPage


def run(data: Path, command: str, arguments: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Does the command. Raises `CommandFailed`."""
    if not (data / "serve.lock").exists():
        raise CommandFailed(
            f"nothing has been served from {data} yet. `keystead serve --data {data}` makes what is needed",
            NOTHING_THERE,
        )
    hide_memory()
    os.umask(0o077)
    try:
        settings = load(data, {}, os.environ)
        with ServeLock(data):
            progress("nobody serves this directory: opening it for this command")
            return _run(settings, command, arguments, progress)
    except AlreadyServed:  # a server has started since
        try:
            return client.ask(data, command, arguments, progress)
        except client.NobodyServes as error:
            raise CommandFailed(f"another command has {data} open; try again in a moment") from error
    except (BadSetting, Refused, listeners.CannotListen) as error:
        raise CommandFailed(str(error)) from error


def _run(
    settings: Settings, command: str, arguments: Mapping[str, Any], progress: Progress
) -> dict[str, Any]:
    page = SecretPage()
    opened = Opening(settings, page, make=False).result()
    with listeners.unix(settings.data / "core.sock") as listener:
        core = start_core(settings, page, opened, listener)
        page.wipe()

        from server.admin import commands
        from server.assembly import Assembly
        from server.scheduler import answer_safely

        assembly = Assembly.open(settings, "admin")
        try:
            answer = answer_safely(lambda *asked: commands.run(assembly, *asked), assembly.log)
            return answer(command, dict(arguments), progress)
        finally:
            assembly.close()
            os.kill(core.pid, signal.SIGTERM)
            core.buried(os.waitstatus_to_exitcode(os.waitpid(core.pid, 0)[1]))
            os.close(core.heartbeat)
