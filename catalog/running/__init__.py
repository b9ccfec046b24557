"""Running a study: how it is set up, who takes part, when it runs."""
