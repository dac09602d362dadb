"""Synthesise the input of `make static`: a stack by itself, and environments with a pipeline.

python -m checks.assemblies <folder>

With the feature flags of cdk.json, but not with the settings that are there to deploy.
"""

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from local_aws import toolchain

_GROUP: Final = "arn:aws:personalize:{}:dataset-group/vod"
_ID: Final = "11111111-2222-3333-4444-555555555555"
_PIPELINE_ACCOUNT: Final = "444444444444"
CONTEXTS: Final[dict[str, dict[str, Any]]] = {
    "stack": {"dataset_group_arn": _GROUP.format("eu-west-1:111111111111")},
    "pipeline": {
        "environments": {
            "dev": {"dataset_group_arn": _GROUP.format("eu-west-1:111111111111")},
            "prod": {
                "dataset_group_arn": _GROUP.format("us-east-1:222222222222"),
                "approval": True,
                "active_hours": {
                    "start": "cron(0 7 ? * MON-FRI *)",
                    "stop": "cron(0 20 ? * MON-FRI *)",
                    "time_zone": "America/New_York",
                },
                "consumers": ["arn:aws:iam::333333333333:role/app"],
                "monitoring": True,
                "max_metric_regression": 0.05,
                "minimum_throughput_use": 0.5,
                "alarm_email": "on-call@example.com",
                "notify_topic_arn": "arn:aws:sns:us-east-1:222222222222:deployments",
                "log_key_arn": f"arn:aws:kms:us-east-1:222222222222:key/{_ID}",
            },
        },
        "pipeline": {
            "connection_arn": (
                f"arn:aws:codeconnections:eu-west-1:{_PIPELINE_ACCOUNT}:connection/{_ID}"
            ),
            "repository": "example/top-picks",
            "branch": "main",
            "account": _PIPELINE_ACCOUNT,
            "region": "eu-west-1",
        },
    },
}
"""The context of each assembly, by its name: in two regions, so that there are replicas."""


def main(folder: Path) -> None:
    """Remove a folder, and write the assemblies into a new one."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    context = json.loads((toolchain.ROOT / "cdk.json").read_text())["context"]
    flags = {key: value for key, value in context.items() if key.startswith("@")}
    (folder / "cdk.json").write_text(json.dumps({"context": flags}))
    quiet = {
        "AWS_EC2_METADATA_DISABLED": "true",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CDK_DISABLE_VERSION_CHECK": "true",
        "CDK_NOTICES": "false",
    }
    for name, settings in CONTEXTS.items():
        subprocess.run(  # noqa: S603  # all of it is from here
            [
                *toolchain.CDK,
                *("synth", "--quiet", "--output", name),
                # The CLI splits the first word off at a space: no path of Python can stand there.
                *("--app", shlex.join(("python3", str(toolchain.ROOT / "app.py")))),
                *(f"--context={key}={_text(value)}" for key, value in settings.items()),
            ],
            cwd=folder,
            env=toolchain.environment(folder) | quiet,
            check=True,
        )


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
