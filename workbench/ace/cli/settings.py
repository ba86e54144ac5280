"""`config show`: the settings in force, and where each comes from."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from workbench.ace.cli.options import speaks
from workbench.ace.cli.output import Output
from workbench.ace.cli.table import Column
from workbench.ace.wiring.workplace import Workplace


class SettingRow(msgspec.Struct, frozen=True, kw_only=True):
    """One setting."""

    id: str
    value: Any
    origin: str
    kind: str = "setting"
    schema: int = 1


_NAME = Column[SettingRow]("setting", lambda row: row.id)
_VALUE = Column[SettingRow]("value", lambda row: shown(row.value), grow=True)
_ORIGIN = Column[SettingRow]("from", lambda row: row.origin)


@click.command()
@click.option("--origin", is_flag=True, help="Also where each comes from; JSON always has it.")
@speaks
def show(place: Workplace, out: Output, origin: bool) -> None:
    """The settings in force: defaults < your config.toml < .workbench/config.toml < local.toml < environment."""
    from workbench.ace.wiring import settings_check
    from workbench.artifacts.configuration import flat

    settings, origins = place.settings()
    values = flat(settings)
    rows = [SettingRow(id=key, value=value, origin=origins.get(key, "default")) for key, value in values.items()]
    out.rows(rows, (_NAME, _VALUE, _ORIGIN) if origin else (_NAME, _VALUE), empty="")
    for problem in settings_check.problems(place):
        out.warn(str(problem))


def shown(value: Any) -> str:
    """A setting's value in words."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return str(value) or '""'
