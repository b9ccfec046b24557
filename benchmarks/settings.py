"""The product's settings with the addresses of the reference views. Nothing else differs."""

from diptych.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.urls"
