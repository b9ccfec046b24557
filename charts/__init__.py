"""Charts: one Vega-Lite specification each, for the page and for the file. Decision 047 says why it is plain JSON."""
