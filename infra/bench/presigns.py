"""What one playlist costs, in presigns of boto3: the whole of a work of four minutes and of three hours, for S3.

Both sign with the same key for one store, in turn, in one process, and the time is the processor's. What is printed
is JSON: by length of the work in seconds, the median over the rounds of the playlist's time to a single presign's.
"""

import json
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

ROUNDS, PRESIGNS = 9, 40
LENGTHS_SECONDS = (4 * 60, 3 * 3600)
S3 = {
    "REFRAIN_MODE": "test",
    "REFRAIN_STORE": "s3",
    "REFRAIN_S3_ENDPOINT": "https://store.bench.example",
    "REFRAIN_S3_ACCESS_KEY": "bench",
    "REFRAIN_S3_SECRET_KEY": "no-secret-of-any-store",
    "DJANGO_SETTINGS_MODULE": "infra.settings",
}


def main() -> None:
    """Measure, and print what was found."""
    os.environ.update(S3)
    import django  # noqa: PLC0415  (its settings are chosen above)

    django.setup()
    presign = _boto3()
    presign(PRESIGNS)
    print(json.dumps({seconds: _ratio(seconds, presign) for seconds in LENGTHS_SECONDS}))


def _boto3() -> Callable[[int], None]:
    """Return what presigns so often with boto3, with a client that is there already."""
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    client: Any = boto3.client(
        "s3",
        endpoint_url=S3["REFRAIN_S3_ENDPOINT"],
        aws_access_key_id=S3["REFRAIN_S3_ACCESS_KEY"],
        aws_secret_access_key=S3["REFRAIN_S3_SECRET_KEY"],
        region_name="us-east-1",
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )

    def presign(times: int) -> None:
        for number in range(times):
            asked = {"Bucket": "refrain", "Key": f"renditions/work/sound/{number:05d}.m4s"}
            client.generate_presigned_url("get_object", Params=asked, ExpiresIn=3_600)

    return presign


def _ratio(seconds: int, presign: Callable[[int], None]) -> float:
    from members import policies  # noqa: PLC0415  (settings are chosen above)
    from playback import gate  # noqa: PLC0415

    pieces = _layout(seconds)
    ratios = []
    for _ in range(ROUNDS):
        began = time.process_time()
        presign(PRESIGNS)
        single = (time.process_time() - began) / PRESIGNS
        began = time.process_time()
        text = gate.write(pieces, open_ms=50_000, whole=True, growing=True, now=policies.FOUNDED_AT)
        ratios.append((time.process_time() - began) / single)
        assert text.count("#EXTINF") == len(pieces.segments)
    return statistics.median(ratios)


def _layout(seconds: int) -> Any:
    """Return where the pieces of so long a work lie, shared out to files as the renditions of every work are."""
    from catalog import renditions  # noqa: PLC0415  (settings are chosen above)
    from catalog.delivery import Layout, Segment  # noqa: PLC0415

    cut = [renditions.Segment(offset=n, size=1, micros=5_000_000) for n in range(seconds // 5)]
    found = [
        Segment(
            key=f"renditions/work/sound/{number:05d}.m4s",
            offset=place * 80_000,
            length=80_000,
            micros=segment.micros,
            whole_file=len(file) == 1,
        )
        for number, file in enumerate(renditions.files_of(cut))
        for place, segment in enumerate(file)
    ]
    return Layout(
        init_key="renditions/work/sound/init.mp4",
        segments=tuple(found),
        target_seconds=5,
        size_bytes=80_000 * len(found),
    )


if __name__ == "__main__":
    main()
