"""How static files are stored: named by their content, scripts' imports of one another too.

So that a browser never mixes a script of yesterday with one of today.
"""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class NamedByContent(CompressedManifestStaticFilesStorage):
    """Whitenoise's storage, with the imports of ES modules rewritten like addresses in style sheets."""

    support_js_module_import_aggregation = True
