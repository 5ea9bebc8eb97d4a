"""The command line: parse, call, print. Results go to stdout; progress and faults to stderr.

Exit codes: 0 done; 1 some cells failed, or results cannot be written; 2 bad usage or bad scenario;
3 results missing or corrupt; 4 the plan does not fit this machine; 130 interrupted, everything
finished so far kept. Nothing heavy is imported before a command needs it.
"""

from __future__ import annotations

from typing import Any

import click

from sim import __version__
from sim.cli.asking import doctor, list_, schema
from sim.cli.comparing import compare
from sim.cli.reading import explain, report, reproduce, verify
from sim.cli.running import check, plan, run
from sim.cli.words import BAD, INTERRUPTED, spell_what_is_unknown, tell
from sim.scenario.faults import ScenarioError


class Sim(click.Group):
    """Turns what a command raises into a sentence and an exit code."""

    def main(self, *arguments: Any, **named: Any) -> Any:
        """Run the command line, on streams that can write whatever there is to say."""
        spell_what_is_unknown()
        return super().main(*arguments, **named)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ScenarioError as faults:
            tell(faults)
            ctx.exit(BAD)
        except KeyboardInterrupt as interrupt:
            tell(str(interrupt) or "interrupted")
            ctx.exit(INTERRUPTED)
        except click.exceptions.Exit:
            raise
        except Exception as error:
            from sim.store import StoreError

            if not isinstance(error, StoreError):
                raise
            tell(error)
            ctx.exit(error.code)


@click.group(cls=Sim, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sim")
def main() -> None:
    """Simulate Great Britain's smart-metering estate: scenarios in, reports out.

    FILE is a path or the name of a shipped file (see `sim list`). RUN is a run's folder, or the
    name of a scenario (its latest run).
    """


for command in (
    run,
    check,
    plan,
    report,
    compare,
    explain,
    schema,
    list_,
    verify,
    reproduce,
    doctor,
):
    main.add_command(command)
