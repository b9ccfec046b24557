"""What people of a study are told and asked to agree to: texts in Markdown, a version at a time, in each language.

A study begins with the texts that lie beside this file. Publishing makes the next version in every language at once;
versions before it stay readable, since answers say under which one they were given.
"""

from catalog.documents.changes import Change, changes
from catalog.documents.markdown import Section, html_of, sections
from catalog.documents.publishing import NotPublished, need, publish
from catalog.documents.texts import NoSuchText, present_version, text_of, versions

__all__ = [
    "Change",
    "NoSuchText",
    "NotPublished",
    "Section",
    "changes",
    "html_of",
    "need",
    "present_version",
    "publish",
    "sections",
    "text_of",
    "versions",
]
