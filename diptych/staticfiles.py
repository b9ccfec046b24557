"""Static files under names that carry their hash, ES module imports included."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class ModuleStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Rewrites `import … from "./x.js"` too, so that a module and what it imports are always of one release."""

    support_js_module_import_aggregation = True
