"""`/.well-known/refrain-keys.json`: the public keys that what Refrain signs can be checked with."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from members import seals


def keys() -> dict[str, Any]:
    """Return the present key and the retired ones (`*.pub` beside the signing key), in hexadecimal by their ids."""
    if not settings.SIGNING_KEY_FILE:
        return {"present": None, "keys": {}}
    public = seals.public_bytes(seals.load_key(settings.SIGNING_KEY_FILE))
    found = {seals.key_id(public): public.hex()}
    for file in sorted(Path(settings.SIGNING_KEY_FILE).parent.glob("*.pub")):
        retired = bytes.fromhex(file.read_text().strip())
        found[seals.key_id(retired)] = retired.hex()
    return {"present": seals.key_id(public), "keys": found, "algorithm": "Ed25519"}


@require_safe
def refrain_keys(_request: HttpRequest) -> JsonResponse:
    """Answer with the keys."""
    return JsonResponse(keys())
