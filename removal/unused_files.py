"""Remove assets that no video uses any more, with their files."""

from django.core.files.storage import default_storage
from django.db import connection

from diptych.database import locks
from media import names
from media.originals import original_name
from media.stored_files import names_below

AT_ONCE = 500
#: An asset that was ever in quarantine is never removed.
UNUSED = """
    NOT EXISTS (SELECT FROM catalog_video video WHERE video.asset_id = asset.id)
    AND NOT EXISTS (SELECT FROM safety_quarantine quarantine WHERE quarantine.asset_id = asset.id)
"""
DELETE = f"""
DELETE FROM media_asset WHERE id IN (
    SELECT asset.id FROM media_asset asset
     WHERE asset.state <> 'running' AND {UNUSED} ORDER BY asset.id LIMIT %(most)s FOR UPDATE SKIP LOCKED)
RETURNING public_id, sha256
"""  # noqa: S608 - of a constant
LEFT = f"SELECT EXISTS (SELECT FROM media_asset asset WHERE {UNUSED})"  # noqa: S608 - of a constant


def remove() -> bool:
    """Delete all unused assets and their files. Return False if some have to wait.

    Nothing is deleted while an import stores files, since it may use one of them. No import stores files while this
    runs. An asset that is being prepared waits until that has ended. Files that another study or import uses have a
    video, and are kept. Rows are deleted before files, so that no row is without its files.
    """
    with locks.try_exclusive(locks.Key.UNNAMED_FILES) as held:
        if not held:
            return False
        with connection.cursor() as cursor:
            while True:
                cursor.execute(DELETE, {"most": AT_ONCE})
                if not (gone := cursor.fetchall()):
                    break
                for public_id, sha256 in gone:
                    default_storage.delete(original_name(sha256))
                    for name in list(names_below(names.folder(public_id))):
                        default_storage.delete(name)
            cursor.execute(LEFT)
            return not cursor.fetchone()[0]
