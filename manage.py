#!/usr/bin/env python
"""Django's command line, with this project's settings; installed as `diptych-server`."""

from diptych.command_line import main

if __name__ == "__main__":
    main()
