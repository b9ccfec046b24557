"""Static files under names that contain their hash, imports of ES modules included."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class ModuleStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Rewrite `import … from "./x.js"` too, so that a module and its imports are always of one release."""

    support_js_module_import_aggregation = True
    #: Each pass puts the hashed names of imported modules into the modules that import them. In the worst order of
    #: files a pass completes only one level of imports. Django's 5 passes are fewer than the levels here.
    max_post_process_passes = 30
