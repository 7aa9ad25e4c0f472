"""Take a folder of recordings and photos in, through the same ingest as any upload."""

import json
import shutil
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from catalog import ingest, naming, profiles, publishing, releases, tasks
from catalog.intake import probing, receiving, sniffing
from catalog.intake.sniffing import PhotoForm
from catalog.models import Creator, CreatorRole, Upload
from members import clock
from members.problems import Invalid, Problem

CHUNK_BYTES = 1_048_576
# What a folder may say about its files beyond their tags, e.g. that they are historic.
LIST = "works.json"
SAID_OF_A_WORK = ("alternative_text", "historic", "licence", "title")
BAR_WIDTH = 30
MANAGING = [CreatorRole.Role.OWNER, CreatorRole.Role.EDITOR]


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Who sends a file, and the profile it goes to."""

    person_id: UUID
    creator_id: UUID


class Command(BaseCommand):
    help = "Take the recordings and photos of a folder and its sub-folders in, as works of a creator."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR")
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("--creator", metavar="SLUG", help="whose works they become")
        whose.add_argument(
            "--by-artist",
            action="store_true",
            help="a profile for each artist that tags name, else for each folder, run by --person",
        )
        parser.add_argument("--person", metavar="EMAIL", help="who sends them; without it, the profile's owner")
        parser.add_argument("--publish", action="store_true", help="publish each of them once it is ready")

    def handle(
        self, *, folder: Path, creator: str | None, by_artist: bool, person: str | None, publish: bool, **options: Any
    ) -> None:
        if not folder.is_dir():
            raise CommandError(f"{folder} is no folder")
        folder = folder.resolve()
        self.sender = None if creator is None else self._sender(creator, person)
        self.person_id = self._person(person) if by_artist else None
        said = self._list(folder)
        paths = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
        # A picture of a folder comes behind its recordings: it is known by them.
        paths = sorted((path for path in paths if path.name != LIST), key=lambda path: releases.is_front(path.name))
        # All are sent first: a worker that runs beside this command takes some of them meanwhile.
        waiting = []
        for number, path in enumerate(paths):
            self._show(number, 2 * len(paths), f"sending {path.name}")
            waiting.append(self._send(path, folder))
        done = 0
        for number, (path, sent) in enumerate(zip(paths, waiting, strict=True)):
            name = str(path.relative_to(folder))
            words, ready = f"left out. {sent}", False
            if isinstance(sent, Upload):
                self._finish(
                    sent,
                    lambda percent, at=number, name=name: self._show(
                        (len(paths) + at) * 100 + percent, 200 * len(paths), name
                    ),
                )
                words, ready = self._words(sent, said.get(name, {}), publish=publish)
            done += ready
            self._say(f"{name}: {words}")
        self._say(f"{done} taken in, {len(paths) - done} left out.")

    def _sender(self, slug: str, email: str | None) -> Sender:
        profile = Creator.objects.filter(slug=slug).first()
        if profile is None:
            raise CommandError(f"there is no creator {slug}")
        roles = profile.roles.filter(role__in=MANAGING).select_related("person")
        # "owner" comes after "editor" in the alphabet.
        role = (roles.filter(person__email=email.lower()) if email else roles.order_by("-role", "id")).first()
        if role is None:
            raise CommandError(f"{email or 'nobody'} runs the creator {slug}")
        return Sender(person_id=role.person_id, creator_id=role.creator_id)

    def _person(self, email: str | None) -> UUID:
        found = get_user_model().objects.filter(email=(email or "").lower()).first()
        if found is None:
            raise CommandError("--by-artist needs --person, somebody who is known here")
        return found.pk

    def _list(self, folder: Path) -> dict[str, dict[str, Any]]:
        file = folder / LIST
        if not file.exists():
            return {}
        try:
            return {work["file"]: work for work in json.loads(file.read_text())["works"]}
        except (ValueError, KeyError, TypeError) as error:
            raise CommandError(f"{file} is no list of works: {error}") from None

    def _send(self, path: Path, folder: Path) -> Upload | str:
        """Return the upload of a file, or why there is none."""
        try:
            # A folder of music holds lists and notes too: they are named and passed over.
            form = sniffing.sniff(path)
            is_photo, of = isinstance(form, PhotoForm), path
            if is_photo and releases.is_artwork(path.name) and (recording := _recording_in(path.parent)) is not None:
                if not releases.is_front(path.name):
                    return "It looks like artwork of the recordings beside it, and is not its front."
                is_photo, of = False, recording
            sender = self.sender or self._sender_by_artist(of, folder, is_photo=is_photo)
            upload = receiving.receive(
                person_id=sender.person_id,
                creator_id=sender.creator_id,
                filename=path.name,
                chunks=_chunks(path),
                folder=str(path.parent.relative_to(folder.parent)),
                now=clock.now(),
            )
        except (sniffing.Unreadable, Problem) as refusal:
            return str(refusal)
        tasks.wake(upload.id)
        return upload

    def _sender_by_artist(self, path: Path, folder: Path, *, is_photo: bool) -> Sender:
        """Return the profile that the file's artist tag names, else its folder; it is founded if there is none."""
        assert self.person_id is not None
        artist = "" if is_photo else _artist(path)
        name = artist or naming.clean(path.relative_to(folder.parent).parts[-2], most=profiles.NAME_MOST) or "Works"
        own = Creator.objects.filter(roles__person_id=self.person_id, roles__role__in=MANAGING)
        profile = own.filter(name__iexact=name).order_by("created_at", "id").first()
        if profile is None:
            try:
                profile = profiles.found(person_id=self.person_id, name=name, now=clock.now())
            except Invalid:
                # One person runs only so many: the rest stands under the first of them.
                profile = own.order_by("created_at", "id")[0]
        return Sender(person_id=self.person_id, creator_id=profile.id)

    def _finish(self, upload: Upload, show: Any) -> None:
        """Work on the upload until it is finished, or wait for the worker that took it first."""
        while upload.state not in (Upload.State.READY, Upload.State.REJECTED):
            show(upload.percent)
            if not ingest.advance(upload_id=upload.id, now=clock.now()):
                time.sleep(0.2)
            upload.refresh_from_db()

    def _words(self, upload: Upload, said: dict[str, Any], *, publish: bool) -> tuple[str, bool]:
        """Write what the folder's list says of a work, publish it if asked to, and return what is said of it."""
        if upload.work is None:
            is_artwork = upload.state == Upload.State.READY
            return upload.reason if is_artwork else f"left out. {upload.reason}", is_artwork
        figures = {name: said[name] for name in SAID_OF_A_WORK if said.get(name)}
        if upload.found.get("description"):
            figures.setdefault("alternative_text", upload.found["description"])
        work_id, person_id = upload.work.id, upload.person_id
        try:
            if figures:
                publishing.change(work_id=work_id, person_id=person_id, now=clock.now(), **figures)
            if publish:
                publishing.publish(work_id=work_id, person_id=person_id, now=clock.now())
        except Problem as refusal:
            return f"taken in as a draft {work_id}. {refusal.title}: {refusal.detail}", True
        return f"{'published' if publish else 'a draft'} {work_id}", True

    def _show(self, number: int, count: int, name: str) -> None:
        """Draw the bar on a terminal; elsewhere the lines of the files are enough."""
        if self.stderr.isatty():
            filled = BAR_WIDTH * number // max(1, count)
            line = f"[{'#' * filled}{'.' * (BAR_WIDTH - filled)}] {100 * number // max(1, count):3} % {name}"
            self.stderr.write("\r" + line[: shutil.get_terminal_size().columns - 1].ljust(60), ending="")

    def _say(self, words: str) -> None:
        if self.stderr.isatty():
            self.stderr.write("\r\x1b[K", ending="")
        self.stdout.write(words)
        self.stdout.flush()


def _recording_in(folder: Path) -> Path | None:
    """Return the first recording in the folder, if there is any."""
    for path in sorted(folder.iterdir()):
        try:
            if path.is_file() and not isinstance(sniffing.sniff(path), PhotoForm):
                return path
        except sniffing.Unreadable:
            continue
    return None


def _artist(path: Path) -> str:
    """Return the artist that the tags of a recording name; they are read in the sandbox."""
    with tempfile.TemporaryDirectory(prefix="refrain-tags-") as room:
        (Path(room) / "original").symlink_to(path)
        return str(probing.read_tags(Path(room))["tags"].get("artist", ""))


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(CHUNK_BYTES):
            yield piece
