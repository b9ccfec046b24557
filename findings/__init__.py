"""Findings: what rules notice about answers. `rules` lists the rules, and `checking` applies them."""
