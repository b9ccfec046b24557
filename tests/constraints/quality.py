"""Attempts to break each constraint of rules, controls, figures and suspensions. `w` is the `World`."""

from findings.models import StudyRules
from tests import factories
from tests.constraints.world import NOON, twice

ATTEMPTS = {
    # --- charts
    "chartfile_once": twice(lambda w: w.chart_file()),
    "chartfile_format_known": lambda w: w.chart_file(format="gif"),
    "chartfile_done_has_content": lambda w: w.chart_file(state="done", finished_at=NOON),
    "chartfile_state_known": lambda w: w.chart_file(state="lost", finished_at=NOON),
    "chartfile_failed_has_reason": lambda w: w.chart_file(state="failed", finished_at=NOON),
    "chartfile_running_has_heartbeat": lambda w: w.chart_file(state="running"),
    "chartfile_waits_only_while_waiting": lambda w: w.chart_file(
        state="done", content=b"x", finished_at=NOON, wait_until=NOON
    ),
    "chartfile_finished_has_moment": lambda w: w.chart_file(state="done", content=b"x"),
    # --- controls
    "control_kind_known": lambda w: w.control(kind="odd"),
    "control_question_of_kind": lambda w: w.control(question=""),
    "control_source_video_of_kind": lambda w: w.control(source_video=w.video),
    "control_withdrawn_by_somebody_why": lambda w: w.control(withdrawn_at=NOON),
    "control_pair_same_study": lambda w: w.control(pair=w.foreign),
    "control_video_same_study": lambda w: w.control(kind="reencoded", question="", source_video=w.foreign.video_0),
    "control_result_assignment_same_study": lambda w: w.control_result(assignment=w.foreign_answer()),
    "control_result_control_same_study": lambda w: w.control_result(
        control=w.control(study=w.other, pair=w.foreign), assignment=w.assignment
    ),
    "controlsrun_one_open": twice(lambda w: w.controls_run()),
    "controlsrun_kind_known": lambda w: w.controls_run(kind="odd"),
    "controlsrun_not_more_than_asked": lambda w: w.controls_run(made=2),
    "controlsrun_state_known": lambda w: w.controls_run(state="lost", finished_at=NOON),
    "controlsrun_failed_has_reason": lambda w: w.controls_run(state="failed", finished_at=NOON),
    "controlsrun_running_has_heartbeat": lambda w: w.controls_run(state="running"),
    "controlsrun_waits_only_while_waiting": lambda w: w.controls_run(state="done", finished_at=NOON, wait_until=NOON),
    "controlsrun_finished_has_moment": lambda w: w.controls_run(state="done"),
    # --- figures
    "studyfigures_one_open": twice(lambda w: w.figures()),
    "studyfigures_kind_known": lambda w: w.figures(kind="odd"),
    "studyfigures_done_has_result": lambda w: w.figures(state="done", finished_at=NOON),
    "studyfigures_state_known": lambda w: w.figures(state="lost", finished_at=NOON),
    "studyfigures_failed_has_reason": lambda w: w.figures(state="failed", finished_at=NOON),
    "studyfigures_running_has_heartbeat": lambda w: w.figures(state="running"),
    "studyfigures_waits_only_while_waiting": lambda w: w.figures(
        state="done", result={}, finished_at=NOON, wait_until=NOON
    ),
    "studyfigures_finished_has_moment": lambda w: w.figures(state="done", result={}),
    # --- findings
    "study_rules_on_known": lambda w: StudyRules.objects.create(study=w.study, on=["odd"], invalidating=[]),
    "study_rules_notes_never_invalidate": lambda w: StudyRules.objects.create(
        study=w.study, on=["preference_cycle"], invalidating=["preference_cycle"]
    ),
    "study_rules_only_rules_that_are_on_invalidate": lambda w: StudyRules.objects.create(
        study=w.study, on=[], invalidating=["one_side"]
    ),
    "finding_one_open": twice(lambda w: w.finding()),
    "finding_rule_known": lambda w: w.finding(rule="odd"),
    "finding_severity_known": lambda w: w.finding(severity="odd"),
    "finding_notes_never_invalidate": lambda w: w.finding(rule="preference_cycle", severity="note", marked=True),
    "finding_dismissed_by_somebody_why": lambda w: w.finding(dismissed_at=NOON),
    "finding_assignment_same_study": lambda w: w.finding(assignment=w.foreign_answer()),
    "finding_annotation_same_study": lambda w: w.finding(annotation=w.foreign_answer().standing.current),
    "findingsrun_one_open": twice(lambda w: w.findings_run()),
    "findingsrun_rules_known": lambda w: w.findings_run(rules=[]),
    "findingsrun_phase_known": lambda w: w.findings_run(phase="odd"),
    "findingsrun_state_known": lambda w: w.findings_run(state="lost", finished_at=NOON),
    "findingsrun_failed_has_reason": lambda w: w.findings_run(state="failed", finished_at=NOON),
    "findingsrun_running_has_heartbeat": lambda w: w.findings_run(state="running"),
    "findingsrun_waits_only_while_waiting": lambda w: w.findings_run(state="done", finished_at=NOON, wait_until=NOON),
    "findingsrun_finished_has_moment": lambda w: w.findings_run(state="done"),
    # --- suspensions
    "suspension_state_known": lambda w: w.suspension(state="lost", finished_at=NOON),
    "suspension_failed_has_reason": lambda w: w.suspension(state="failed", finished_at=NOON),
    "suspension_running_has_heartbeat": lambda w: w.suspension(state="running"),
    "suspension_waits_only_while_waiting": lambda w: w.suspension(state="done", finished_at=NOON, wait_until=NOON),
    "suspension_finished_has_moment": lambda w: w.suspension(state="done"),
    "suspension_one_open": lambda w: [w.suspension(person=factories.person()) for _ in range(2)],
    "suspension_one_in_force": lambda w: [w.suspension(state="done", finished_at=NOON) for _ in range(2)],
    "suspension_has_reason": lambda w: w.suspension(why=""),
    "suspension_names_what_it_returns": lambda w: w.suspension(what="since"),
    "suspension_lifted_whole": lambda w: w.lifted(lifted_because=""),
    "suspension_lot_same_study": lambda w: w.suspension(what="lot", lot=factories.lot(w.other)),
    "suspended_answer_once": twice(lambda w: w.suspended_answer()),
    "suspended_answer_outcome_known": lambda w: w.suspended_answer(outcome="lost"),
    "suspended_answer_suspension_same_study": lambda w: w.suspended_answer(
        suspension=w.suspension(study=w.other), study=w.study
    ),
    "suspended_answer_assignment_same_study": lambda w: w.suspended_answer(assignment=w.foreign_answer()),
    "pause_rule_once_a_figure": twice(lambda w: w.pause_rule()),
    "pause_rule_figure_known": lambda w: w.pause_rule(figure="beauty"),
    "pause_rule_threshold_range": lambda w: w.pause_rule(threshold=1),
    "pause_rule_least_known": lambda w: w.pause_rule(least=60),
    "pause_judgement_once_a_count": twice(lambda w: w.judgement()),
    "pause_judgement_at_these_counts_only": lambda w: w.judgement(items=51),
    "pause_judgement_interval_ordered": lambda w: w.judgement(low=0.5, high=0.4),
    "pause_one_in_force": lambda w: [
        factories.pause(w.study, w.person, judgement=w.judgement(items=items)) for items in (50, 100)
    ],
    "pause_ended_by_somebody_why": lambda w: factories.pause(w.study, w.person, ended_at=NOON),
    "undone_judgement_judgement_same_study": lambda w: w.undone_judgement(judgement=w.judgement()),
    "undone_judgement_control_same_study": lambda w: w.undone_judgement(
        control=w.control(kind="tag_gold", question="")
    ),
    "pause_judgement_same_study": lambda w: factories.pause(w.other, w.person, judgement=w.judgement()),
}
