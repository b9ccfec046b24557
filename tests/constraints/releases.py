"""Attempts to break each constraint of releases and withdrawals. `w` is the `World`."""

from releases.models import ReleaseFamily
from tests import factories
from tests.constraints.world import NOON, twice

ATTEMPTS = {
    # --- releases
    "release_number_in_study": lambda w: [w.data_release(state="cancelled", finished_at=NOON) for _ in range(2)],
    "release_number_from_one": lambda w: w.data_release(number=0),
    "release_has_licence": lambda w: w.data_release(licence=""),
    "release_one_open": lambda w: [w.data_release(number=number) for number in (1, 2)],
    "release_done_has_manifest": lambda w: w.data_release(state="done", finished_at=NOON),
    "release_state_known": lambda w: w.data_release(state="lost", finished_at=NOON),
    "release_failed_has_reason": lambda w: w.data_release(state="failed", finished_at=NOON),
    "release_running_has_heartbeat": lambda w: w.data_release(state="running"),
    "release_waits_only_while_waiting": lambda w: w.data_release(state="cancelled", finished_at=NOON, wait_until=NOON),
    "release_finished_has_moment": lambda w: w.data_release(state="cancelled"),
    "release_family_key_form": lambda w: ReleaseFamily.objects.create(study=w.study, key="short"),
    "release_family_same_study": lambda w: w.data_release(family=ReleaseFamily.objects.create(study=w.other)),
    "release_parent_same_family": lambda w: w.data_release(
        number=2, parent=w.data_release(state="cancelled", finished_at=NOON)
    ),
    "release_item_place": lambda w: [
        w.release_item(release=one) for one in [w.data_release()] * 2 if factories.pair(w.study)
    ],
    "release_item_once": lambda w: [
        w.release_item(release=one, answered=answered, place=place)
        for one, answered in [(w.data_release(), factories.answer(w.person, w.study))]
        for place in (1, 2)
    ],
    "release_item_place_from_one": lambda w: w.release_item(place=0),
    "release_item_part_known": lambda w: w.release_item(part="validation"),
    "release_item_is_data": lambda w: w.release_item(kind="control"),
    "release_item_release_same_study": lambda w: w.release_item(release=w.data_release(study=w.other)),
    "release_item_annotation_same_study": lambda w: w.release_item(answered=w.foreign_answer()),
    "release_prompt_place": lambda w: [
        w.release_prompt(release=one, prompt_id=key * 64) for one in [w.data_release()] for key in "ab"
    ],
    "release_prompt_once": lambda w: [
        w.release_prompt(release=one, place=place) for one in [w.data_release()] for place in (1, 2)
    ],
    "release_prompt_place_from_one": lambda w: w.release_prompt(place=0),
    "release_prompt_part_known": lambda w: w.release_prompt(part="validation"),
    "release_prompt_prompt_id_form": lambda w: w.release_prompt(prompt_id="x"),
    "release_prompt_release_same_study": lambda w: w.release_prompt(release=w.data_release(study=w.other)),
    "release_label_place": lambda w: [w.release_label(release=one) for one in [w.data_release()] * 2],
    "release_label_place_from_one": lambda w: w.release_label(place=0),
    "release_label_part_known": lambda w: w.release_label(part="validation"),
    "release_label_prompt_id_form": lambda w: w.release_label(prompt_id="x"),
    "release_label_one_subject": lambda w: w.release_label(video_id="1" * 64, pair_id="2" * 64),
    "release_label_has_value_or_is_refused": lambda w: w.release_label(refused=True),
    "release_label_release_same_study": lambda w: w.release_label(release=w.data_release(study=w.other)),
    "release_file_path": lambda w: [w.release_file(release=one) for one in [w.data_release()] * 2],
    "release_file_path_form": lambda w: w.release_file(path="../secret"),
    "release_file_sha256_form": lambda w: w.release_file(sha256="x"),
    "release_file_release_same_study": lambda w: w.release_file(release=w.data_release(study=w.other)),
    "release_video_place": lambda w: [w.release_video(release=one) for one in [w.data_release()] * 2],
    "release_video_once": lambda w: [
        w.release_video(release=one, video=video, place=place)
        for one, video in [(w.data_release(), factories.video(factories.prompt(w.study)))]
        for place in (1, 2)
    ],
    "release_video_place_from_one": lambda w: w.release_video(place=0),
    "release_video_part_known": lambda w: w.release_video(part="validation"),
    "release_video_frames": lambda w: w.release_video(frame_sizes=[1] * 7),
    "release_video_release_same_study": lambda w: w.release_video(release=w.data_release(study=w.other)),
    "release_video_video_same_study": lambda w: w.release_video(video=factories.video(factories.prompt(w.other))),
    "withdrawal_once": twice(lambda w: w.withdrawal()),
    "withdrawal_has_its_subject": lambda w: w.withdrawal(kind="video"),
    "withdrawal_has_reason": lambda w: w.withdrawal(reason=""),
    "withdrawal_assignment_same_study": lambda w: w.withdrawal(kind="answer", assignment=w.foreign_answer()),
    "withdrawal_video_same_study": lambda w: w.withdrawal(kind="video", video=w.foreign.video_0),
    "tombstone_once": lambda w: [
        w.tombstone(release=one, withdrawal=withdrawn)
        for one, withdrawn in [(w.data_release(), w.withdrawal())]
        for _twice in range(2)
    ],
    "tombstone_of_some_answers": lambda w: w.tombstone(answers=0),
    "tombstone_release_same_study": lambda w: w.tombstone(release=w.data_release(study=w.other)),
    "tombstone_withdrawal_same_study": lambda w: w.tombstone(withdrawal=w.withdrawal(study=w.other)),
}
