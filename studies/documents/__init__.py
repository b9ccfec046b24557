"""What people of a study are told and asked to agree to: texts in Markdown, a version at a time, in each language.

A study begins with the texts that lie beside this file. Publishing makes the next version in every language at once;
versions before it stay readable, since answers say under which one they were given.
"""
