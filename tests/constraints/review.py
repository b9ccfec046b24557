"""Attempts to break each constraint of lots, reviews and calibration. `w` is the `World`."""

from qc.models import LotBatch, Reply
from tests import factories
from tests.constraints.world import NOON, twice


def itself(w, session):
    w.change(session, follows=session)


ATTEMPTS = {
    # --- calibration
    "calibration_number_in_study": lambda w: [w.calibration(number=1) for _ in range(2)],
    "calibration_has_topic": lambda w: w.calibration(topic=""),
    "calibration_follows_another": lambda w: itself(w, w.calibration()),
    "calibration_follows_same_study": lambda w: w.calibration(follows=w.calibration(study=w.other)),
    "calibration_state_known": lambda w: w.calibration(state="draft"),
    "calibration_guideline_followed": lambda w: w.calibration(guideline_after=1),
    "calibration_item_once": lambda w: [w.calibration_item(place=place) for place in (1, 2)],
    "calibration_item_place": lambda w: [w.calibration_item(), w.calibration_item(pair=factories.pair(w.study))],
    "calibration_item_session_same_study": lambda w: w.calibration_item(session=w.calibration(study=w.other)),
    "calibration_item_pair_same_study": lambda w: w.calibration_item(pair=w.foreign),
    "calibration_item_origin_known": lambda w: w.calibration_item(origin="unclear"),
    "calibration_item_outcome_whole": lambda w: w.calibration_item(outcome="It is clear now."),
    "calibration_sitting_once": twice(lambda w: w.calibration_sitting()),
    "calibration_sitting_item_same_study": lambda w: w.calibration_sitting(study=w.other),
    "calibration_sitting_left_known": lambda w: w.calibration_sitting(left="tie"),
    "calibration_sitting_skipped_ended": lambda w: w.calibration_sitting(skip_reason="cannot_judge"),
    "calibrationanswer_choices_known": lambda w: w.calibration_answer(helpfulness="left"),
    "calibrationanswer_tags_known": lambda w: w.calibration_answer(tags_video_0=["odd"]),
    # --- qc
    "asked_for_more_number": lambda w: [w.asked_for_more() for _ in range(2)],
    "asked_for_more_range": lambda w: w.asked_for_more(number=0),
    "asked_for_more_because_known": lambda w: w.asked_for_more(because=["a whim"]),
    "asked_for_more_pair_same_study": lambda w: w.asked_for_more(pair=w.foreign),
    "lot_number_in_study": lambda w: [factories.lot(w.study, number=1) for _ in range(2)],
    "lot_number_from_one": lambda w: factories.lot(w.study, number=0),
    "lot_state_known": lambda w: factories.lot(w.study, state="lost"),
    "lot_later_attempt_has_previous": lambda w: factories.lot(w.study, attempt=2),
    "lot_previous_same_study": lambda w: factories.lot(w.study, attempt=2, previous=factories.lot(w.other)),
    "lot_started_unless_draft": lambda w: factories.lot(w.study, seed="0" * 32),
    "lot_shares_range": lambda w: factories.lot(w.study, state="in_review", ltpd=0),
    "lot_sample_drawn_whole": lambda w: factories.lot(w.study, state="in_review", size=1),
    "lot_decided_with_reason": lambda w: factories.lot(w.study, state="returned"),
    "lot_accepted_with_sample": lambda w: factories.lot(
        w.study, state="accepted", decided_at=NOON, decided_by=w.person, decision_reason="Good."
    ),
    "lot_batch_once": lambda w: factories.lot(w.study, w.pair.batch, w.pair.batch),
    "lot_batch_in_one_undecided_lot": lambda w: [factories.lot(w.study, w.pair.batch) for _ in range(2)],
    "lot_batch_lot_same_study": lambda w: LotBatch.objects.create(
        study=w.study, lot=factories.lot(w.other), batch=w.pair.batch
    ),
    "lot_batch_batch_same_study": lambda w: factories.lot(w.study, w.foreign.batch),
    "frame_item_place": lambda w: w.another_frame_item(place=1),
    "frame_item_once": lambda w: w.another_frame_item(assignment=w.frame_item().assignment),
    "frame_item_sample_place": lambda w: [
        w.change(item, sample_place=1, judged=item.current) for item in (w.frame_item(), w.another_frame_item())
    ],
    "frame_item_place_from_one": lambda w: w.another_frame_item(place=0),
    "frame_item_sample_place_range": lambda w: w.change(w.frame_item(), sample_place=1),
    "frame_item_lost_known": lambda w: w.change(w.frame_item(), lost="odd"),
    "frame_item_lot_same_study": lambda w: w.another_frame_item(lot=w.frame_item(w.other).lot),
    "frame_item_batch_of_lot": lambda w: w.another_frame_item(batch=factories.batch(w.study, number=9)),
    "frame_item_assignment_same_study": lambda w: w.another_frame_item(assignment=w.frame_item(w.other).assignment),
    "frame_item_first_same_study": lambda w: w.another_frame_item(first=w.frame_item(w.other).first),
    "frame_item_current_same_study": lambda w: w.another_frame_item(current=w.frame_item(w.other).first),
    "frame_item_judged_same_study": lambda w: w.another_frame_item(judged=w.frame_item(w.other).first),
    "lot_decision_outcome_known": lambda w: w.lot_decision(outcome="lost"),
    "lot_decision_has_reason": lambda w: w.lot_decision(reason=""),
    "lot_decision_return_asks_again": lambda w: w.lot_decision(outcome="returned"),
    "lot_decision_names_people": lambda w: w.lot_decision(outcome="returned", ask_again="people"),
    "lot_decision_lot_same_study": lambda w: w.lot_decision(lot=factories.lot(w.other)),
    "review_one_role_a_person": lambda w: [w.review(kind=kind) for kind in ("secondary", "confirm")],
    "review_one_person_a_role": lambda w: [
        w.review(reviewer=factories.person(), state="submitted", ended_at=NOON) for _ in range(2)
    ],
    "review_one_lease_a_role": lambda w: [w.review(reviewer=factories.person(), kind="confirm") for _ in range(2)],
    "review_item_same_study": lambda w: w.review(study=w.other, pair=w.foreign),
    "review_pair_same_study": lambda w: w.review(pair=w.foreign),
    "review_kind_known": lambda w: w.review(kind="odd"),
    "review_state_known": lambda w: w.review(state="submitted"),
    "review_skipped_with_reason": lambda w: w.review(state="skipped", ended_at=NOON),
    "review_left_known": lambda w: w.review(left="tie"),
    "review_lease_has_length": lambda w: w.review(leased_at=NOON, expires_at=NOON),
    "assigned_review_once": lambda w: [w.assigned_review(), w.assigned_review(reviewer=factories.person())],
    "assigned_review_one_role_a_person": lambda w: [w.assigned_review(kind=kind) for kind in ("spot", "confirm")],
    "assigned_review_item_same_study": lambda w: w.assigned_review(study=w.other, lot=factories.lot(w.other)),
    "assigned_review_lot_same_study": lambda w: w.assigned_review(lot=factories.lot(w.other)),
    "assigned_review_kind_known": lambda w: w.assigned_review(kind="odd"),
    "assigned_review_has_length": lambda w: w.assigned_review(until=NOON),
    "review_answer_once": twice(lambda w: w.review_answer()),
    "review_answer_lot_same_study": lambda w: w.review_answer(lot=factories.lot(w.other)),
    "review_answer_pair_same_study": lambda w: w.review_answer(pair=w.foreign),
    "reviewanswer_choices_known": lambda w: w.review_answer(correctness="left"),
    "reviewanswer_tags_known": lambda w: w.review_answer(tags_video_0=["rude"]),
    "verdict_once_a_row": twice(lambda w: w.verdict(review=w.review(kind="look"))),
    "verdict_review_same_study": lambda w: w.verdict(study=w.other),
    "verdict_item_same_study": lambda w: w.verdict(item=w.frame_item(w.other)),
    "verdict_annotation_same_study": lambda w: w.verdict(annotation=w.frame_item(w.other).first),
    "verdict_words_known": lambda w: w.verdict(row="beauty"),
    "verdict_defect_has_reason_and_own_answer": lambda w: w.verdict(ruling="defect", own="video_1"),
    "verdict_only_tags_corrected": lambda w: w.verdict(ruling="corrected", own="video_1"),
    "verdict_waits_or_is_settled": lambda w: w.verdict(waits_for="confirm"),
    "verdict_counts_once_confirmed": lambda w: w.verdict(counts=True),
    "second_opinion_once": twice(lambda w: w.second_opinion()),
    "reply_has_text": lambda w: Reply.objects.create(study=w.study, item=w.frame_item(), text=""),
    "reply_closed_whole": lambda w: Reply.objects.create(study=w.study, item=w.frame_item(), text="x", closing="y"),
    "second_blind_once": lambda w: [
        w.second_blind(first=w.review_answer(reviewer=factories.person()), item=item)
        for item in (w.frame_item(), w.another_frame_item())
    ],
    "second_blind_item_same_study": lambda w: w.second_blind(item=w.frame_item(w.other)),
    "second_blind_pair_same_study": lambda w: w.second_blind(pair=w.foreign),
    "second_blind_is_another_answer": lambda w: w.second_blind_by_the_same(),
    "review_exposure_once_a_day": twice(lambda w: w.review_exposure()),
    "review_exposure_not_negative": lambda w: w.review_exposure(revealed_s=-1),
}
