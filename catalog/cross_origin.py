"""What an S3 store lets pages of other origins do: ours may read files, in ranges, and nobody's may do anything else.

A player's script reads segments from the store's own origin. Without this rule a browser throws them away, though the
address was signed and the bytes came. `manage.py allow_players` writes it into the bucket.
"""

from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from django.conf import settings

REMEMBERED_SECONDS = 86_400


def rule(origin: str) -> dict[str, Any]:
    """Return the rule for pages of one origin: read, also in ranges, and see how long a file is."""
    return {
        "ID": "players",
        "AllowedOrigins": [origin],
        "AllowedMethods": ["GET", "HEAD"],
        "AllowedHeaders": ["Range"],
        "ExposeHeaders": ["Accept-Ranges", "Content-Length", "Content-Range", "ETag"],
        "MaxAgeSeconds": REMEMBERED_SECONDS,
    }


def allow_players() -> str:
    """Let the pages of this installation read from its bucket; return their origin. Other rules of the bucket go."""
    site = urlsplit(settings.BASE_URL)
    origin = f"{site.scheme}://{site.netloc}"
    client = boto3.client(
        "s3",
        endpoint_url=settings.S3_ENDPOINT or None,
        region_name=settings.S3_REGION,
        aws_access_key_id=settings.S3_ACCESS_KEY or None,
        aws_secret_access_key=settings.S3_SECRET_KEY or None,
        config=Config(s3={"addressing_style": "path"}),
    )
    client.put_bucket_cors(Bucket=settings.S3_BUCKET, CORSConfiguration={"CORSRules": [rule(origin)]})
    return origin
