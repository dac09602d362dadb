"""Write the pages of docs/reference that are made from code: settings and outputs.

python -m checks.reference
"""

import json
from pathlib import Path
from typing import Final

from checks import outputs_reference
from stacks.settings import reference

_FOLDER: Final = Path(__file__).parents[1] / "docs" / "reference"


def documents() -> dict[Path, str]:
    """Return the text of each document, by its path."""
    schema = json.dumps(reference.schema(), indent=2, ensure_ascii=False)
    return {
        _FOLDER / "settings.md": reference.markdown(),
        _FOLDER / "context.schema.json": f"{schema}\n",
        _FOLDER / "outputs.md": outputs_reference.markdown(),
    }


if __name__ == "__main__":
    for path, text in documents().items():
        path.write_text(text)
