"""Everything that is kept about one person, in one document: every row of every table that is theirs.

It is read off the tables themselves, so that nobody has to remember a new one. Left out are secrets that prove or open
something (passwords, digests, seals) and the ids of other people, which are theirs.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from members.models import Person

FORMAT = "refrain-everything/1"
# By these names a row says whose it is; any other person in it is somebody else.
WHOSE = ("person", "listener", "payee", "author", "user", "written_by")
# Rows that are somebody's by way of another row.
BY_WAY_OF = ("membership",)
SECRET = frozenset({"password", "digest", "sealed", "code_sha256", "body_sha256", "data", "content_sha256"})
AT_ONCE = 1_000


def document(*, person_id: UUID, now: datetime) -> Iterator[str]:
    """Yield the document as JSON, piece by piece: `rows` by table, each row by column. A query for each table."""
    person = Person.objects.filter(id=person_id).values(*_columns(Person)).get()
    yield f'{{"format": {_written(FORMAT)}, "made_at": {_written(now)}, "person": {_written(person)}, "rows": {{'
    between = ""
    for model, whose in _theirs(person_id):
        yield f"{between}\n{_written(model._meta.label_lower)}: ["
        between, inside = ",", ""
        rows = model._default_manager.filter(whose)  # noqa: SLF001  (documented by Django)
        for row in rows.order_by("pk").values(*_columns(model)).iterator(chunk_size=AT_ONCE):
            yield f"{inside}\n{_written(row)}"
            inside = ","
        yield "]"
    yield "}}\n"


def _theirs(person_id: UUID) -> Iterator[tuple[type[models.Model], models.Q]]:
    for model in sorted(apps.get_models(), key=lambda one: one._meta.label_lower):
        if model is Person or not model._meta.managed:
            continue
        whose = models.Q()
        for field in model._meta.concrete_fields:
            if (field.name in WHOSE and field.related_model is Person) or field.name == "person_id":
                whose |= models.Q(**{field.attname: person_id})
            elif field.name in BY_WAY_OF and field.related_model is not None:
                whose |= models.Q(**{f"{field.name}__person_id": person_id})
        if whose:
            yield model, whose


def _columns(model: type[models.Model]) -> list[str]:
    return [
        field.attname
        for field in model._meta.concrete_fields
        if field.name not in SECRET
        and not isinstance(field, models.BinaryField)
        and not (field.related_model is Person and field.name not in WHOSE)
    ]


def _written(value: Any) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)
