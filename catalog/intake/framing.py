"""A picture made into a cover in two sizes.

Run by the ingest as a process of its own, inside the sandbox, as `tagging` is: a stranger wrote the picture. So this
file imports no Django.
"""

import json
import sys
from pathlib import Path

from catalog.intake import tagging


def main(path: str, cover_path: str) -> None:
    """Write the picture at `path` as a cover, and a small one beside it; print their sizes as one JSON object."""
    cover = Path(cover_path)
    sizes = {"cover": tagging.write_cover(Path(path).read_bytes(), cover)}
    sizes["small"] = tagging.write_small_cover(cover, cover.with_name(tagging.SMALL))
    sys.stdout.write(json.dumps(sizes))
