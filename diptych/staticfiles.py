"""Static files under names that carry their hash, ES module imports included."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class ModuleStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Rewrites `import … from "./x.js"` too, so that a module and what it imports are always of one release."""

    support_js_module_import_aggregation = True
    #: Each pass puts the hashed names of imported modules into the modules that import them. In the worst order of
    #: files a pass completes only one level of imports, and Django's 5 passes are fewer than the levels here.
    max_post_process_passes = 30
