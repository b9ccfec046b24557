#!/usr/bin/env python
"""Django's command line with this project's settings. It is installed as `diptych-server`."""

from diptych.command_line import main

if __name__ == "__main__":
    main()
