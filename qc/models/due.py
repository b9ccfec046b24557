"""What keeps the flags of frozen answers true: which of them still wait for a review, in an index in order."""

import pgtrigger

#: A submitted review ends what its answer waits for. If it is undone, the answer waits again.
REVIEWED = pgtrigger.Trigger(
    name="review_ends_waiting",
    when=pgtrigger.After,
    operation=pgtrigger.Insert | pgtrigger.UpdateOf("state"),
    func=(
        "IF NEW.state = 'submitted' AND (TG_OP = 'INSERT' OR OLD.state <> 'submitted') THEN"
        " UPDATE qc_frameitem SET secondary_due = secondary_due AND NEW.kind <> 'secondary',"
        " spot_due = spot_due AND NEW.kind <> 'spot', look_rank = NULL"
        " WHERE id = NEW.item_id AND (look_rank IS NOT NULL OR secondary_due AND NEW.kind = 'secondary'"
        " OR spot_due AND NEW.kind = 'spot');"
        " ELSIF TG_OP = 'UPDATE' AND OLD.state = 'submitted' AND NEW.state <> 'submitted' THEN"
        " UPDATE qc_frameitem SET secondary_due = secondary_due OR NEW.kind = 'secondary',"
        " spot_due = spot_due OR NEW.kind = 'spot', look_rank = CASE WHEN EXISTS (SELECT FROM qc_review other"
        " WHERE other.item_id = NEW.item_id AND other.state = 'submitted') THEN NULL"
        " ELSE 0 END WHERE id = NEW.item_id;"
        " END IF; RETURN NULL;"
    ),
)
