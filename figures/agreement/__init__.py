"""How far people agree in a study: the compared answers, their figures, and the pairs behind a figure."""
