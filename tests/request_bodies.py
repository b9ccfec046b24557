"""A good body for each endpoint that wants one."""

import uuid
from hashlib import sha256

from studies.models import Membership, Study
from tests import factories
from tests.training.runs import CONTENT
from training.finishing import NEEDED


def first_annotator() -> int:
    """Return the key of the annotator of the study that the matrix is about."""
    annotators = Membership.objects.filter(study=Study.objects.earliest("pk"), role="annotator")
    return annotators.earliest("pk").person_id


BODIES = {
    "api:run_claim": lambda: {"name": "gpu-1"},
    "api:run_beat": lambda: {"fence": 1},
    "api:run_report": lambda: {"fence": 1, "log": "x"},
    "api:run_finish": lambda: {
        "fence": 1,
        "metrics": [],
        "files": dict.fromkeys(NEEDED["train"], sha256(CONTENT).hexdigest()),
        "wall_s": 1,
    },
    "api:run_fail": lambda: {"fence": 1, "code": "leak", "message": "x"},
    "api:run_put_back": lambda: {"fence": 1, "trouble": "x"},
    "api:suspensions": lambda: {"person": first_annotator(), "reason": "Random clicks."},
    "api:webhooks": lambda: {"address": "https://example.org/new", "events": ["lot.accepted"]},
    "api:webhook": lambda: {"events": ["lot.returned"]},
    "models:decide": lambda: {"act": "take_back", "reason": "It is slow."},
    "api:model_scores": lambda: {"videos": [{"video": "0" * 64}]},
    "api:model_promote": lambda: {"reason": "It is faster."},
    "api:model_take_back": lambda: {"reason": "It is slow."},
    "api:model_withdraw": lambda: {"reason": "Its videos were withdrawn."},
    "api:suspension_preview": lambda: {"person": first_annotator()},
    "api:suspension_lift": lambda: {"reason": "A mistake."},
    "api:pause_end": lambda: {"reason": "We talked."},
    "studies:preview_guideline": lambda: {"language": "en", "text": "Words."},
    "catalog:hold_pairs": lambda: {"act": "release"},
    "catalog:hold_pair": lambda: {"act": "release"},
    "studies:invite": lambda: {"names": "kim", "role": "annotator"},
    "studies:numbered": lambda: {"once": str(uuid.uuid4()), "count": 1, "role": "annotator"},
    "studies:roles": lambda: {"role": "reviewer", "act": "grant"},
    "studies:answer_invitation": lambda: {"act": "accept"},
    "api:submit": factories.body,
    "api:draft": lambda: {"helpfulness": {}},
    "api:care": lambda: {"care": {"hidden": 1}},
    "api:skip": lambda: {"reason": "cannot_judge"},
    "api:report": lambda: {"videos": ["video_0"]},
    "api:guideline_read": lambda: {"version": 1},
    "api:revise": lambda: factories.body(reason="reopened"),
    "api:imports": lambda: {"source": "upload"},
    "api:state": lambda: {"step": "pause"},
    "api:settings": lambda: {"format": "diptych-study-settings", "version": 1, "settings": {"overlap": 2}},
    "api:people": lambda: {"names": ["kim"], "role": "annotator"},
    "api:pair_changes": lambda: {"what": "priority", "value": 3},
    "api:pair_holds": lambda: {"act": "release", "filters": {}},
    "api:trial_submit": factories.body,
    "api:trial_draft": lambda: {"helpfulness": {}},
    "api:trial_skip": lambda: {"reason": "cannot_judge"},
    "api:trial_care": lambda: {"care": {"hidden": 1}},
    "api:trial_revise": lambda: factories.body(reason="second_look"),
    "api:trial_report": lambda: {"videos": ["video_0"]},
    "charts:draw_chart": lambda: {"format": "svg"},
    "qc:reply": lambda: {"text": "Please look again."},
    "api:lease_review": lambda: {"kind": "secondary"},
    "api:controls_runs": lambda: {"kind": "tag_gold", "number": 1},
    "api:withdraw_control": lambda: {"because": "It is wrong."},
    "api:lots": lambda: {"batches": [1]},
    "api:lot_draw": lambda: {"without_rest": True},
    "api:lot_decision": lambda: {
        "outcome": "returned",
        "reason": "x",
        "ask_again": "all",
        "against_plan": True,
    },
    "api:review_answer": factories.body,
    "api:assign_reviews": lambda: {"kind": "secondary", "reviewer": None},
    "qualification:decide": lambda: {"act": "waive", "reason": "Worked in the last study."},
    "qualification:change_set": lambda: {"act": "publish"},
    "api:qualification_begin": lambda: {"kind": "training"},
    "api:qualification_next": lambda: {"kind": "training"},
    "api:qualifying_answer": factories.body,
    "api:qualifying_skip": lambda: {"reason": "cannot_judge"},
    "api:qualifying_care": lambda: {"care": {"hidden": 1}},
    "api:qualifying_report": lambda: {"videos": ["video_0"]},
    "api:qualification_sets": lambda: {"kind": "training"},
    "api:qualification_decide": lambda: {"act": "waive", "reason": "Worked in the last study."},
    "api:turn_answer": factories.body,
    "api:turn_skip": lambda: {"reason": "cannot_judge"},
    "api:turn_care": lambda: {"care": {"hidden": 1}},
    "api:turn_report": lambda: {"videos": ["video_0"]},
    "api:review_submit": dict,
    "api:review_skip": lambda: {"reason": "cannot_judge"},
    "api:review_care": lambda: {"care": {"hidden": 1}},
    "api:review_report": lambda: {"videos": ["video_0"]},
    "api:study_delete": lambda: {"slug": Study.objects.earliest("pk").slug},
}
