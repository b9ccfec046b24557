"""The arithmetic of quality control: plans, rates, agreement and reliability.

These modules are pure. They take numbers, and know no model, no page and no Django. Only `agreement`, `bootstrap`,
`measures`, `reliability` and `tag_sets` import numpy, so import them where they are used and not when Django starts.
docs/quality.md explains the figures in plain words.
"""
