"""Errors that cross package borders. The type tells the caller what to do: fix, retry or drop.

`exit_code` is what the command line ends with (docs/cli.md lists them); no error of these types
ever reaches a user as a traceback.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of the `gatehouse` command. 1 is an unforeseen fault of ours, 2 a wrong usage."""

    OK = 0
    FAULT = 1
    USAGE = 2
    CONFIG = 3
    MODEL = 4
    SOURCE = 5
    BROKER = 6
    STORE = 7
    HUB = 8
    INPUT = 9


class GatehouseError(Exception):
    """A failure that the person at the keyboard can mend; its message says what and where."""

    exit_code = ExitCode.FAULT


class ConfigError(GatehouseError):
    """A configuration file is wrong: the message names the file and the key. Fix it."""

    exit_code = ExitCode.CONFIG


class ModelError(GatehouseError):
    """A network is missing, altered or of the wrong task: the message names the command that mends it."""

    exit_code = ExitCode.MODEL


class SourceError(GatehouseError):
    """A video source cannot be opened or read."""

    exit_code = ExitCode.SOURCE


class BrokerError(GatehouseError):
    """The MQTT broker is not there or refuses us."""

    exit_code = ExitCode.BROKER


class StoreError(GatehouseError):
    """The database cannot be used, for example because a newer version of the hub made it."""

    exit_code = ExitCode.STORE


class HubError(GatehouseError):
    """The hub's API is not there or refuses the request."""

    exit_code = ExitCode.HUB


class InputError(GatehouseError):
    """Something that a person gave (a photo, a plate, a list) cannot be used; the message says why."""

    exit_code = ExitCode.INPUT


class InvalidMessage(GatehouseError):  # noqa: N818 - named for what the caller does: dead-letter it
    """A message that can never be processed. Keep it as a dead letter, with `reason`.

    `reason` is a stable identifier (``not_json``, ``unknown_major``, ``bad_signature`` …) and
    `detail` says it to a person.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
