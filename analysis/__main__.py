"""``python -m analysis COMMAND``."""

import sys

from analysis import reference

COMMANDS = {"reference": reference.main}


def main(arguments: list[str]) -> int:
    """Dispatch; returns the exit code."""
    if arguments and arguments[0] in COMMANDS:
        return COMMANDS[arguments[0]](arguments[1:])
    print("usage: python -m analysis COMMAND ...", file=sys.stderr)
    for name, command in COMMANDS.items():
        print(f"  {name}: {(sys.modules[command.__module__].__doc__ or '').splitlines()[0]}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
