"""Commands of the AWS CLI, one after the other: `python -I awscli_commands.py COMMANDS`

COMMANDS is JSON, a list of lists of arguments. Ends with the first exit status that is not 0, and names its command.
"""

from __future__ import annotations

import json
import sys

from awscli.clidriver import create_clidriver


def main(commands: list[list[str]]) -> int:
    """Run them; the exit status."""
    for arguments in commands:
        if status := create_clidriver().main(arguments):
            sys.stderr.write(f"(aws {' '.join(arguments[:2])})\n")
            return int(status)
    return 0


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
