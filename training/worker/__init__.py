"""The training worker: a program for a machine with GPUs, or with processors only, that does the runs of a server.

It needs no database, no settings and no Django. It asks the API for a run, downloads the release, starts a program of
`training/learn` beside itself, reports what the program says, and uploads what it made:

    python -m training.worker --server https://diptych.example.org --token-file token
"""
