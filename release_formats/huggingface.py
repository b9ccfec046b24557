"""`README.md`, which makes the files of a release a dataset of the Hugging Face Hub, and of its library `datasets`.

A folder there has one builder for all its configurations, so each of them is Parquet. `configs:` names every file: what
it does not name is not taken for data. Videos and frames are named by strings.
"""

from collections.abc import Iterable
from typing import Any

import yaml
from django.utils.translation import gettext_lazy as _

from diptych.downloads import CopyFile
from release_formats.columns import Column
from release_formats.tables import Published, published
from releases.formats import Folder, Format
from releases.items import Items
from releases.models import Release

PATH = "README.md"
TYPES = {
    "string": "string",
    "json": "string",
    "integer": "int64",
    "number": "float64",
    "boolean": "bool",
    "day": "date32",
    "moment": "timestamp[us, tz=UTC]",
}
LISTS = {"strings": "string", "integers": "int64"}
#: Licences that the Hub knows, of those that datasets have. Others are named in a field of their own.
LICENCES = frozenset(
    {
        *("apache-2.0", "mit", "cc0-1.0", "cc-by-2.0", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0"),
        *("cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "cc-by-nc-nd-3.0"),
        *("cc-by-nc-nd-4.0", "cc-by-nd-4.0", "odbl", "odc-by", "pddl", "openrail"),
        *("cdla-permissive-1.0", "cdla-permissive-2.0", "cdla-sharing-1.0"),
    }
)

WARNING = (
    "This dataset has prompts, and may have videos and pictures, with harmful content: sexual, violent, hateful or "
    "other content that can be hard to bear. It is for research."
)
#: What people who ask for access to the dataset on the Hub read, and what they say.
GATE = {
    "extra_gated_heading": "Ask for access",
    "extra_gated_prompt": f"{WARNING} Say who you are and what you need it for.",
    "extra_gated_fields": {
        "Name": "text",
        "Institution": "text",
        "Purpose": "text",
        "I am an adult, and I follow the licence and the terms of the dataset": "checkbox",
    },
    "extra_gated_button_content": "Ask for access",
}


def write(release: Release, items: Items, folder: Folder) -> None:
    """Write the file. The Parquet files are complete before."""
    tables = published(release, folder.written())

    def write_text(file: CopyFile) -> None:
        file.write(readme(release, tables).encode())

    folder.add(PATH, write_text)


def readme(release: Release, tables: Iterable[Published]) -> str:
    """Return the text of the file: fields for the Hub in YAML, then a description for people."""
    tables = list(tables)
    head = yaml.safe_dump(front_matter(release, tables), sort_keys=False, allow_unicode=True, width=1 << 20)
    return f"---\n{head}---\n\n{_description(release, tables)}"


def front_matter(release: Release, tables: Iterable[Published]) -> dict[str, Any]:
    """Return the fields that the Hub and `datasets` read."""
    tables = list(tables)
    known = release.licence.lower()
    licence = {"license": known} if known in LICENCES else {"license": "other", "license_name": release.licence}
    return {
        **licence,
        "pretty_name": f"{release.about['title']}, release {release.number}",
        "tags": ["preference", "text-to-video", "human-feedback", "not-for-all-audiences"],
        **GATE,
        "configs": [
            {
                "config_name": table.name,
                **({"default": True} if number == 0 else {}),
                "data_files": [{"split": part, "path": paths} for part, paths in table.files.items()],
            }
            for number, table in enumerate(tables)
        ],
        "dataset_info": [
            {"config_name": table.name, "features": [_feature(column) for column in table.columns]} for table in tables
        ],
    }


def _feature(column: Column) -> dict[str, str]:
    if column.kind in LISTS:
        return {"name": column.name, "list": LISTS[column.kind]}
    return {"name": column.name, "dtype": TYPES[column.kind]}


def _description(release: Release, tables: list[Published]) -> str:
    counts = release.counts
    lines = [
        f"# {release.about['title']}, release {release.number}",
        "",
        f"People compared two AI-generated videos of one prompt. This release has {counts['answers']} of their "
        f"answers, in {counts['revisions']} revisions. Licence: {release.licence}.",
        "",
        f"**Warning.** {WARNING}",
        "",
        "```python",
        "from datasets import load_dataset",
        "",
        f'pairs = load_dataset("FOLDER", "{tables[0].name}")',
        "```",
        "",
        "| configuration | splits | columns |",
        "| --- | --- | --- |",
        *(f"| `{one.name}` | {', '.join(one.files)} | {len(one.columns)} |" for one in tables),
        "",
        "`manifest.json` has the filter, the funnel, the versions and the SHA-256 of every file.",
    ]
    if release.terms:
        lines += ["", "## Terms", "", release.terms]
    return "\n".join(lines) + "\n"


FORMAT = Format(
    "huggingface", _("Hugging Face: a folder for its library and its Hub"), write, order=90, needs=("parquet",)
)
