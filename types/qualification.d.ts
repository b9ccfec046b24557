/** What the scripts of a training and a test send and get (`qualification/serializers.py`). */
declare namespace Qualification {
  interface Feedback {
    row: string;
    question: string;
    answer: string;
    expected: string;
    right: boolean;
    explanation: string;
  }

  interface Turn extends Api.Assignment {
    kind: "training" | "test";
    done: number;
    feedback: Feedback[] | null;
  }

  interface Step {
    current: Turn | null;
    reason: string | null;
    retry_after_s: number | null;
    left: number;
  }
}
