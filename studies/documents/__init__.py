"""The guideline and the consent text of a study: Markdown, in versions, in each language.

A study starts with the texts in this folder. Publishing makes the next version in all languages at once. Earlier
versions stay readable, since answers record the version under which they were given.
"""
