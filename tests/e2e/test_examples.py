"""An app of one's own, with the installed package, on the local AWS."""

import json
import sys
from pathlib import Path

from local_aws.engine import LocalAws
from local_aws.report import leftovers
from tests.support import wheel

QUICK = {
    "create_pending": 0.5,
    "create_in_progress": 1.0,
    "delete": 1.0,
}
TIMEOUT = 300.0


def test_an_app_with_a_function_gets_recommendations(tmp_path: Path) -> None:
    packages = wheel.installed(wheel.built(tmp_path / "wheel"), tmp_path / "packages")
    app = f"env PYTHONDONTWRITEBYTECODE=1 PYTHONPATH={packages} {sys.executable} app.py"
    # It polls once a minute, as it does on AWS: so minutes are a second.
    with LocalAws.start(tmp_path / "aws", sfn_wait_scale=1 / 60) as aws:
        aws.bootstrap()
        aws.seed_dataset_group("vod")
        aws.adjust_personalize(QUICK)

        def cdk(*arguments: str) -> None:
            ran = aws.cdk(
                *arguments,
                f"--app={app}",
                f"--output={tmp_path / 'cdk.out'}",
                cwd=wheel.EXAMPLES / "video_api",
                capture=True,
                timeout=TIMEOUT,
            )
            assert ran.returncode == 0, ran.stdout

        cdk("deploy", "--require-approval=never", f"--outputs-file={tmp_path / 'outputs.json'}")

        function = json.loads((tmp_path / "outputs.json").read_text())["Video"]["ApiFunction"]
        answer = aws.client("lambda").invoke(
            FunctionName=function, Payload=json.dumps({"viewer": "user-1"})
        )
        picks = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, picks
        assert [set(pick) for pick in picks] == [{"id", "title"}] * 3

        cdk("destroy", "--force")
        assert not any(leftovers(aws).values())
