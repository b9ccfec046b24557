"""The tasks that run periodically, with their intervals in seconds."""

SWEEPS: dict[str, dict[str, object]] = {
    "resend-waiting-media": {"task": "media.tasks.resend_waiting_media", "schedule": 15.0},
    "look-after-webhooks": {"task": "webhooks.tasks.look_after_webhooks", "schedule": 15.0},
    "settle-quarantines": {"task": "safety.tasks.settle_quarantines", "schedule": 15.0},
    "look-after-releases": {"task": "safety.tasks.look_after_releases", "schedule": 15.0},
    "mail-officers": {"task": "safety.tasks.mail_officers", "schedule": 15.0},
    "look-after-imports": {"task": "importing.tasks.look_after_imports", "schedule": 15.0},
    "look-after-removals": {"task": "removal.tasks.look_after_removals", "schedule": 15.0},
    "look-after-changes": {"task": "catalog.tasks.look_after_changes", "schedule": 15.0},
    "order-all-media": {"task": "catalog.tasks.order_all_media", "schedule": 600.0},
    "end-quarantined-leases": {"task": "annotation.tasks.end_quarantined_leases", "schedule": 15.0},
    "return-expired-leases": {"task": "annotation.tasks.return_expired_leases", "schedule": 20.0},
    "complete-batches": {"task": "annotation.tasks.complete_batches", "schedule": 60.0},
    "add-up-answers": {"task": "answers.tasks.add_up_answers", "schedule": 600.0},
    "note-tags": {"task": "annotation.tasks.note_tags", "schedule": 20.0},
    "check-new-answers": {"task": "findings.tasks.check_new_answers", "schedule": 20.0},
    "look-after-figures": {"task": "figures.tasks.look_after_figures", "schedule": 15.0},
    "ask-for-more-opinions": {"task": "qc.tasks.ask_for_more_opinions", "schedule": 20.0},
    "find-disagreement": {"task": "qc.tasks.find_disagreement", "schedule": 3600.0},
    "look-after-runs": {"task": "findings.tasks.look_after_runs", "schedule": 15.0},
    "look-after-controls": {"task": "controls.tasks.look_after_controls", "schedule": 15.0},
    "look-after-suspensions": {"task": "suspensions.tasks.look_after_suspensions", "schedule": 15.0},
    "judge-people": {"task": "suspensions.tasks.judge_people", "schedule": 60.0},
    "count-large-studies": {"task": "figures.tasks.count_large_studies", "schedule": 60.0},
    "look-after-releases-of-data": {"task": "releases.tasks.look_after_releases", "schedule": 15.0},
    "look-after-training": {"task": "training.tasks.look_after_training", "schedule": 15.0},
    "decide-models": {"task": "training.tasks.decide_models", "schedule": 15.0},
    "count-quality": {"task": "figures.tasks.count_quality_due", "schedule": 60.0},
    "delete-old-deliveries": {"task": "webhooks.tasks.delete_old_deliveries", "schedule": 3600.0},
    "clear-sessions": {"task": "accounts.tasks.clear_sessions", "schedule": 3600.0},
}
# A sweep need not run if no worker took it before the next one. Otherwise hours without workers leave thousands.
for _sweep in SWEEPS.values():
    _sweep["options"] = {"expires": _sweep["schedule"]}
