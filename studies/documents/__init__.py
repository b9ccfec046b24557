"""The guideline and the consent text of a study: Markdown texts with versions, in each language.

A study begins with the texts in this folder. Publishing makes the next version in all languages at once. Earlier
versions stay readable, because each answer records the version under which it was given.
"""
