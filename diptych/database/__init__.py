"""Building blocks for tables that Django does not have. They know no app."""
