"""The commands that messages name, as a person types them: here, or with the package alone."""

import sys
from typing import Final

IN_REPOSITORY: Final = __name__ == "local_aws.program"
"""Whether this is the repository, with its app and its Makefile, and not the installed package."""

LOCAL_AWS: Final = ".venv/bin/python -m local_aws" if IN_REPOSITORY else "top-picks-local"
OPERATIONS: Final = "python -m operations" if IN_REPOSITORY else "top-picks"
DESTROY: Final = "make destroy-local" if IN_REPOSITORY else f"{LOCAL_AWS} run cdk destroy"
STOP: Final = "make stop-local" if IN_REPOSITORY else f"{LOCAL_AWS} stop"
START: Final = (
    f"`make deploy-local` starts one and deploys to it, `{LOCAL_AWS} start` only starts it."
    if IN_REPOSITORY
    else f"`{LOCAL_AWS} start` starts one."
)
NEXT_STEPS: Final = (
    (
        ("deploy again", "make deploy-local (add DATA=... if you gave it)"),
        ("see the stack's state", "make status"),
        ("destroy and stop it", DESTROY),
        ("only stop it", STOP),
        ("change a setting", f"{LOCAL_AWS} cdk deploy -c exploration_weight=0.5"),
    )
    if IN_REPOSITORY
    else (
        ("deploy your app", f"{LOCAL_AWS} run cdk deploy"),
        ("see a stack's state", f"{LOCAL_AWS} run {OPERATIONS} status --stack NAME"),
        ("destroy your app", DESTROY),
        ("stop it", STOP),
    )
)
"""Descriptions of commands, with the commands."""


def main() -> int:
    """Run the command line, or name the extra whose packages are missing."""
    try:
        from local_aws import __main__ as command_line  # noqa: PLC0415  # it imports them
    except ModuleNotFoundError as error:
        print(
            f"{error}. The local AWS needs: pip install 'top-picks-recommender[local]'",
            file=sys.stderr,
        )
        return 2
    return command_line.main()
