"""Quality control: contradictions now; reviews, spot checks and agreement later."""
