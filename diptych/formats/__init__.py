"""One form for each date, time and number, in every language: `FORMAT_MODULE_PATH` makes Django use it."""
