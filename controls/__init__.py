"""Controls: pairs with a known answer that are mixed into people's work, and what they say about people."""
