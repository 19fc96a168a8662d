"""`keystead ca …`: the group; each command is a module of its own, `server.cli.ca_<name>`."""

import click

from server.cli.lazy import lazy

# Where each command lives, and its line in `keystead ca --help`.
COMMANDS = {
    "init": ("server.cli.ca_init:init", "Make a root and a subordinate that issues."),
    "show": ("server.cli.ca_show:show", "Draw the hierarchy, with states, expiries and CRLs."),
    "import": ("server.cli.ca_import:import_", "Go on with a CA that was made elsewhere."),
    "subordinate": ("server.cli.ca_keeping:subordinate", "Make a CA that can issue for certain names only."),
    "rotate-key": ("server.cli.ca_keeping:rotate_key", "Give a CA a new key under its old name."),
    "cross-sign": ("server.cli.ca_keeping:cross_sign", "Have another CA certify a CA's name and key."),
    "ceremony": ("server.cli.ca_ceremony:ceremony", "Make a root by a reviewed plan, before witnesses."),
    "bundle": ("server.cli.ca_bundle:bundle", "Write trust bundles: PEM, PKCS#7, Java truststores."),
    "lint": ("server.cli.ca_lint:lint", "Look for faults in certificates and CRLs."),
    "log": ("server.cli.ca_log:log", "Check the log of everything issued and revoked."),
    "lock": ("server.cli.ca_keeping:lock", "Take a CA offline."),
    "unlock": ("server.cli.ca_keeping:unlock", "Let a locked CA sign for a stated time."),
}


@click.group(cls=lazy(COMMANDS))
def ca() -> None:
    """Make, import, show and renew the certificate authorities of an account."""
