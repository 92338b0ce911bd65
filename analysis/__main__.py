"""``python -m analysis COMMAND``."""

import importlib
import sys

COMMANDS = (
    "reference",
    "bench",
    "validate",
    "calibrate",
    "loop",
    "shock",
    "results",
    "sensitivity",
    "compare",
    "policies",
    "effects",
    "report",
    "network",
    "status",
    "rerun",
    "export",
    "letters",
    "compact",
    "app",
)


def main(arguments: list[str]) -> int:
    """Dispatch; returns the exit code."""
    if arguments and arguments[0] in COMMANDS:
        command = importlib.import_module(f"analysis.{arguments[0]}")
        try:
            return int(command.main(arguments[1:]))
        except KeyboardInterrupt:
            print("Interrupted; what is complete stays, and is used when the command is given again.", file=sys.stderr)
            return 130
    print("usage: python -m analysis COMMAND ...", file=sys.stderr)
    for name in COMMANDS:
        summary = (importlib.import_module(f"analysis.{name}").__doc__ or "").splitlines()[0]
        print(f"  {name}: {summary}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
