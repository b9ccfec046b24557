"""The active time that people spent on qualifying. It is paid like other work, and counts in no pace."""

#: As `active_time.other_work` wants it.
SPENT = """
SELECT turn.study_id, attempt.person_id, answer.submitted_at, answer.active_ms
  FROM qualification_turnanswer answer
  JOIN qualification_turn turn ON turn.id = answer.turn_id
  JOIN qualification_attempt attempt ON attempt.id = turn.attempt_id"""
