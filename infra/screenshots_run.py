"""Takes pictures of all pages in light and dark, wide and narrow, for people to look at.

    infra/screenshots DIR [--demo DATA] [--only ROOM] [--axe]

Without --demo it runs a demo of its own for as long as it takes. With one, the folder of a demo that runs already, it
listens, pays, reports and suspends there as the demo's people do, so give it nothing but a demo. What is wrong with a
page, wider than its window, a cropped picture, an error on the console and with --axe what axe finds serious, is said
at the end and in faults.txt beside the pictures.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from playwright.sync_api import sync_playwright

from infra.demonstration.run import ROOT
from infra.gallery import deciding, house, listening, making, owed
from infra.gallery.album import Album, ignoring

BROWSER_OPTIONS = ["--no-sandbox", "--disable-gpu", "--mute-audio", "--autoplay-policy=no-user-gesture-required"]
ROOMS = (
    listening.for_strangers,
    listening.for_a_listener,
    listening.for_the_wallet,
    listening.for_who_looks,
    listening.for_newcomers,
    making.for_creators,
    owed.for_every_euro,
    owed.for_payees,
    owed.for_the_treasury,
    deciding.for_the_coop,
    deciding.for_who_belongs,
    house.for_accounts,
    house.for_reports,
    house.for_treasurers,
    house.for_what_goes_wrong,
    house.for_mails,
)


def main() -> None:
    """Take all pictures into the folder."""
    rooms = {room.__name__.removeprefix("for_").replace("_", "-"): room for room in ROOMS}
    arguments = argparse.ArgumentParser(prog="infra/screenshots", description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--demo", type=Path, help="the folder of a demo that runs already")
    arguments.add_argument("--only", action="append", choices=rooms, help="only what somebody sees; may be repeated")
    arguments.add_argument("--axe", action="store_true", help="let axe look for what keeps somebody out, too")
    chosen = arguments.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    chromium = os.environ.get("REFRAIN_CHROMIUM") or shutil.which("chromium")
    if not chromium:
        sys.exit("There is no Chromium here.")
    with _demo(chosen.demo) as demo, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=BROWSER_OPTIONS)
        album = Album(chosen.folder, demo, browser, with_axe=chosen.axe)
        for name in chosen.only or rooms:
            ignoring(partial(rooms[name], album), album, f"the rest of {name}")
        browser.close()
    (chosen.folder / "faults.txt").write_text("".join(f"{fault}\n" for fault in album.faults))
    for fault in album.faults:
        print(fault)
    print(f"{len(album.taken)} pages, {len(album.faults)} faults. Look at them: {chosen.folder}")


@contextmanager
def _demo(folder: Path | None) -> Iterator[Path]:
    if folder:
        yield folder.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="refrain-pictures-") as made:
        Path(made).chmod(0o711)  # PostgreSQL may run as another user, who has to pass through here.
        command = [sys.executable, "-m", "infra.demonstration.run", "--data", made]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as demo:
            assert demo.stdout is not None
            try:
                if not any(line.startswith("ready ") for line in demo.stdout):
                    sys.exit("The demo did not come up.")
                yield Path(made)
            finally:
                demo.terminate()
                demo.wait(60)


if __name__ == "__main__":
    main()
