"""Write what is declared of the settings to docs/settings.md and docs/context.schema.json.

python -m checks.settings_reference
"""

import json
from pathlib import Path
from typing import Final

from stacks.settings import reference

_DOCS: Final = Path(__file__).parents[1] / "docs"


def documents() -> dict[Path, str]:
    """Return the text of each document, by its path."""
    schema = json.dumps(reference.schema(), indent=2, ensure_ascii=False)
    return {
        _DOCS / "settings.md": reference.markdown(),
        _DOCS / "context.schema.json": f"{schema}\n",
    }


if __name__ == "__main__":
    for path, text in documents().items():
        path.write_text(text)
