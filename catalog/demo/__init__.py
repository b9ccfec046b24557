"""Material for the demonstration study: prompts in our own words, and clips that ffmpeg draws for them."""
