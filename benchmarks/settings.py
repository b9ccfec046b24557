"""The product's settings with the reference views' addresses added; nothing else differs."""

from diptych.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.urls"
