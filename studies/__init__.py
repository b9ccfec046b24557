"""What a study is and who works on it."""
