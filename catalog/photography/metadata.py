"""What a buyer's copy of a photo says beside the picture: an allow-list, and nothing else.

The picture's own bytes stay as they were, to the last bit. Its colour profile stays; EXIF is written anew with the
camera, the lens, the exposure, the day, its maker's name and their rights. Everything else goes: the place, serial
numbers, names of owners, editors' histories, thumbnails (which may show what was cut away), second pictures, whatever
lies behind the end.
"""

import os
import shutil
import tempfile
from pathlib import Path

from catalog.intake import sniffing
from catalog.intake.sniffing import PhotoForm, Unreadable
from catalog.photography import photos

ENDINGS = {"jpeg": ".jpg", "png": ".png", "tiff": ".tiff", "webp": ".webp"}
MEDIA_TYPES = {"jpeg": "image/jpeg", "png": "image/png", "tiff": "image/tiff", "webp": "image/webp"}


def cleaned(path_in: Path, path_out: Path) -> str:
    """Write the photo at `path_in` anew at `path_out`, without loss, and return its kind: jpeg, png, tiff or webp.

    Runs in the sandbox, in a folder of its own. Raises Unreadable if the file is no photo that can be taken in.
    """
    form = sniffing.sniff(path_in)
    if not isinstance(form, PhotoForm):
        raise Unreadable("This is a recording, not a photo.")
    with tempfile.TemporaryDirectory(prefix="refrain-clean-", dir=path_out.parent) as name:
        folder = Path(name)
        (folder / "original").symlink_to(os.path.realpath(path_in))
        photos.clean(folder, form, beat=lambda: None)
        shutil.move(folder / "clean", path_out)
    return form.kind
