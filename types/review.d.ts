/** What the scripts of the review page send and get (`qc/serializers.py`). */
declare namespace Qc {
  interface AnswerOnRow {
    name: string;
    text: string;
    value: string | string[];
  }

  interface Row {
    review: number;
    annotation: number | null;
    verdict: number | null;
    row: string;
    group: string;
    question: string;
    deciding: boolean;
    answers: AnswerOnRow[];
    differs: boolean;
    note: string;
  }

  interface Judging {
    mode: "verdicts" | "confirm" | "adjudicate";
    rows: Row[];
    reply: string | null;
  }

  interface Review extends Api.Assignment {
    kind: string;
    blind: boolean;
    lot: number;
    judging: Judging | null;
    ended: boolean;
  }

  interface Reviews {
    current: Review | null;
    next: Review | null;
    reason: string | null;
    retry_after_s: number | null;
    looked_because: string[];
  }
}
