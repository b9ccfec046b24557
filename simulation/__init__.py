"""Simulated studies, in which the truth is known: people with planted skill answer pairs with planted quality.

The model needs numpy only: `truth` (pairs), `people` (annotators), `reviewers`, `work` (who answers what) and `claims`
(what was planted beside what was found). `material`, `driver` and `filling` write it to the database. The command
`manage.py simulate_study` uses all of them.
"""
