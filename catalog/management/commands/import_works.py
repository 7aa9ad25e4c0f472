"""Take a folder of recordings in, through the same ingest as any upload."""

import json
import shutil
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalog import ingest, publishing, receiving, sniffing
from catalog.models import Creator, CreatorRole, Upload
from members import clock
from members.problems import Problem

CHUNK_BYTES = 1_048_576
# What a folder may say about its files beyond their tags, e.g. that they are historic.
LIST = "works.json"


class Command(BaseCommand):
    help = "Take the recordings of a folder and its sub-folders in, as works of one creator."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR")
        parser.add_argument("--creator", required=True, metavar="SLUG", help="whose works they become")
        parser.add_argument("--person", metavar="EMAIL", help="who sends them; without it, the profile's owner")
        parser.add_argument("--publish", action="store_true", help="publish each of them once it is ready")

    def handle(self, *, folder: Path, creator: str, person: str | None, publish: bool, **options: Any) -> None:
        if not folder.is_dir():
            raise CommandError(f"{folder} is no folder")
        role = self._role(creator, person)
        said = self._list(folder)
        paths = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
        paths = [path for path in paths if path.name != LIST]
        done = left_out = 0
        for number, path in enumerate(paths):
            name = str(path.relative_to(folder))
            self._show(number, len(paths), name)
            words, ready = self._take_in(path, role, said.get(name, {}), publish=publish)
            done, left_out = done + ready, left_out + (not ready)
            self._say(f"{name}: {words}")
        self._show(len(paths), len(paths), "")
        self._say(f"{done} taken in, {left_out} left out.")

    def _role(self, slug: str, email: str | None) -> CreatorRole:
        profile = Creator.objects.filter(slug=slug).first()
        if profile is None:
            raise CommandError(f"there is no creator {slug}")
        roles = profile.roles.filter(role__in=[CreatorRole.Role.OWNER, CreatorRole.Role.EDITOR]).select_related(
            "person"
        )
        # "owner" comes after "editor" in the alphabet.
        role = (roles.filter(person__email=email.lower()) if email else roles.order_by("-role", "id")).first()
        if role is None:
            raise CommandError(f"{email or 'nobody'} runs the creator {slug}")
        return role

    def _list(self, folder: Path) -> dict[str, dict[str, Any]]:
        file = folder / LIST
        if not file.exists():
            return {}
        try:
            return {work["file"]: work for work in json.loads(file.read_text())["works"]}
        except (ValueError, KeyError, TypeError) as error:
            raise CommandError(f"{file} is no list of works: {error}") from None

    def _take_in(self, path: Path, role: CreatorRole, said: dict[str, Any], *, publish: bool) -> tuple[str, bool]:
        try:
            # A folder of music holds covers, lists and notes too: they are named and passed over.
            sniffing.sniff(path)
            upload = receiving.receive(
                person_id=role.person_id,
                creator_id=role.creator_id,
                filename=path.name,
                chunks=_chunks(path),
                now=clock.now(),
            )
            upload = _finish(upload)
        except (sniffing.Unreadable, Problem) as refusal:
            return f"left out. {refusal}", False
        if upload.work is None:
            return f"left out. {upload.reason}", False
        figures = {name: said[name] for name in ("historic", "licence", "title") if said.get(name)}
        try:
            if figures:
                publishing.change(work_id=upload.work.id, person_id=role.person_id, now=clock.now(), **figures)
            if publish:
                publishing.publish(work_id=upload.work.id, person_id=role.person_id, now=clock.now())
        except Problem as refusal:
            return f"taken in as a draft {upload.work.id}. {refusal.title}: {refusal.detail}", True
        return f"{'published' if publish else 'a draft'} {upload.work.id}", True

    def _show(self, number: int, count: int, name: str) -> None:
        """Draw the bar on a terminal; elsewhere the lines of the files are enough."""
        if self.stderr.isatty():
            width = 30
            filled = width * number // max(1, count)
            line = f"[{'#' * filled}{'.' * (width - filled)}] {number}/{count} {name}"
            self.stderr.write("\r" + line[: shutil.get_terminal_size().columns - 1].ljust(60), ending="")

    def _say(self, words: str) -> None:
        if self.stderr.isatty():
            self.stderr.write("\r\x1b[K", ending="")
        self.stdout.write(words)
        self.stdout.flush()


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(CHUNK_BYTES):
            yield piece


def _finish(upload: Upload) -> Upload:
    """Work on the upload until it is finished, or wait for the worker that took it first."""
    while upload.state not in (Upload.State.READY, Upload.State.REJECTED):
        if not ingest.advance(upload_id=upload.id, now=clock.now()):
            time.sleep(0.2)
        upload.refresh_from_db()
    return upload
