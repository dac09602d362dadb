"""Take the picture of the page of the local AWS that the docs show: `make picture`.

It needs Debian's Chromium, and takes the picture of a recommender that was trained on the sample.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from local_aws.engine import LocalAws
from local_aws.rehearsal import sample

_PICTURE: Final = Path(__file__).parents[1] / "docs" / "how-to" / "personalize-page.png"
_CHROMIUM: Final = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
_OPTIONS: Final = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")
_SIZE: Final = "1000,4852"
_DEADLINE: Final = 60.0
_FOLDER: Final = "sample"
"""Where the local AWS finds it from where it runs: the picture shows no path of a machine."""


def main() -> int:
    """Take the picture; exit code 1 if there is no Chromium."""
    if not _CHROMIUM.exists():
        print(f"There is no {_CHROMIUM}: install Debian's package chromium.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as name, LocalAws.start(Path(name)) as aws:
        aws.adjust_personalize({"create_pending": 0, "create_in_progress": 1, "metrics": None})
        shutil.copytree(sample.FOLDER, aws.data / _FOLDER)
        aws.client("personalize").create_recommender(
            name="films",
            datasetGroupArn=aws.seed_dataset_group("vod", data=_FOLDER),
            recipeArn="arn:aws:personalize:::recipe/aws-vod-top-picks",
        )
        deadline = time.monotonic() + _DEADLINE
        while aws.personalize_state()["recommenders"][0]["status"] != "ACTIVE":
            if time.monotonic() > deadline:
                raise TimeoutError("the recommender is not ACTIVE")
            time.sleep(0.1)
        subprocess.run(  # noqa: S603  # no command from outside
            [
                _CHROMIUM,
                *_OPTIONS,
                f"--user-data-dir={name}/profile",
                f"--window-size={_SIZE}",
                f"--screenshot={_PICTURE}",
                f"{aws.endpoint}/_personalize/?user=user-1",
            ],
            check=True,
            capture_output=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
