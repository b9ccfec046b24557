/**
 * The bodies of the JSON API, as the scripts send and get them. An interface has the name of its serializer or shape in Python,
 * and the same fields: tests/annotation/test_script_types.py compares them.
 */
declare namespace Api {
  type VideoKey = "video_0" | "video_1";
  type Choice = VideoKey | "tie";
  type Dimension = "helpfulness" | "harmlessness";

  /** Every refusal. */
  interface Problem {
    detail: string;
    code: string;
    fields?: Record<string, unknown>;
  }

  // --- Pairs that are served --------------------------------------------------------------------------

  interface Video {
    playback_url: string;
    poster_url: string;
    duration_s: number;
    fps: number;
    video_text: string | null;
  }

  interface Prompt {
    text: string;
    language: string;
  }

  interface Returned {
    reason: string;
    comment: string;
  }

  interface Assignment {
    id: number;
    pair_id: string;
    study: string;
    prompt: Prompt;
    left: VideoKey;
    video_0: Video;
    video_1: Video;
    dimension_first: Dimension;
    question_order: string[];
    tag_order: string[];
    expires_at: string;
    draft: Draft | null;
    guideline_version: number;
    identical: boolean;
    sensitive: boolean;
    may_show: string[];
    media_filter: "none" | "blur" | "greyscale";
    batch: number;
    round: number;
    returned: Returned | null;
  }

  /** How far a person has come in a batch. */
  interface BatchPlace {
    number: number;
    answered: number;
    left: number;
  }

  interface Today {
    answers: number;
    active_ms: number;
  }

  interface OwnProgress {
    today: Today;
    batch: BatchPlace | null;
  }

  interface Desk {
    current: Assignment | null;
    next: Assignment | null;
    reason: string | null;
    retry_after_s: number | null;
  }

  interface Stored {
    id: number;
    submission_id: string;
    revision: number;
    counted: boolean;
    surplus: string;
  }

  interface Submitted extends Desk {
    annotation: Stored;
    second_look: boolean;
  }

  /** The next desk, and what became of a report of illegal material. */
  interface ReportOutcome extends Desk {
    report: "hidden" | "held" | "released";
  }

  interface Reopened extends Assignment {
    answers: Answers;
    viewing: Viewing;
    answered_at: string;
    until: string;
    number: number;
  }

  interface Revised {
    annotation: Stored;
    changed: boolean;
  }

  // --- What annotators send ---------------------------------------------------------------------------

  interface DraftTags {
    tags?: string[] | null;
    answered?: string[] | null;
  }

  interface DraftHelpfulness {
    instruction_following?: Choice | null;
    correctness?: Choice | null;
    informativeness?: Choice | null;
    aesthetics?: Choice | null;
    overall?: Choice | null;
  }

  interface DraftHarmlessness {
    video_0?: DraftTags;
    video_1?: DraftTags;
    overall?: Choice | null;
  }

  /** Answers, complete or not. */
  interface Answers {
    helpfulness?: DraftHelpfulness;
    harmlessness?: DraftHarmlessness;
    unsure?: boolean;
    comment?: string;
  }

  interface Revealed {
    video_0?: number;
    video_1?: number;
  }

  /** The counters of one showing of a pair. */
  interface Showing {
    showing: string;
    revealed_s: Revealed;
    by_day: Record<string, Revealed>;
    hidden: number;
  }

  /** What somebody was exposed to. */
  interface Care extends Showing {
    earlier?: Showing[];
  }

  /** How one video was watched. */
  interface WatchedVideo {
    played_s?: number;
    watched_s?: number;
    seen_through?: boolean;
    loops?: number;
  }

  /** How both videos were shown (docs/researcher.md, “viewing”). */
  interface Presentation {
    together_s?: number;
    singly_s?: number;
    sound_s?: number;
    full_screen_s?: number;
    speeds?: Record<string, number>;
    filtered_s?: Revealed;
    unfiltered_s?: Revealed;
    [other: string]: unknown;
  }

  interface GuidelineReading {
    section: string;
    open_s: number;
  }

  interface Viewing {
    video_0?: WatchedVideo;
    video_1?: WatchedVideo;
    presentation?: Presentation;
    cues?: Record<string, number>;
    guideline?: { version: number | null; language: string; opened: GuidelineReading[] };
  }

  /** Milliseconds of active time, by stage; `total_active` is their sum. */
  type Timings = Record<string, number>;

  interface Reported {
    timings_ms?: Timings;
    viewing?: Viewing;
    care?: Care;
  }

  interface Draft extends Reported {
    helpfulness?: DraftHelpfulness;
    harmlessness?: DraftHarmlessness;
    unsure?: boolean;
    comment?: string;
  }

  interface Submission extends Draft {
    submission_id: string;
    lease_next?: boolean;
  }

  interface Revision extends Draft {
    submission_id: string;
    reason: "second_look" | "reopened";
  }

  interface Skip {
    reason: string;
    note?: string;
    care?: Care;
  }

  interface Report {
    videos: VideoKey[];
    care?: Care;
  }

  // --- The guideline ----------------------------------------------------------------------------------

  interface Section {
    key: string;
    title: string;
    level: number;
    html: string;
    /** Only where sections are compared. */
    change?: "added" | "removed" | "changed";
  }

  interface Guideline {
    version: number;
    language: string;
    sections: Section[];
  }

  interface Changes extends Guideline {
    since: number | null;
  }

  // --- Imports ----------------------------------------------------------------------------------------

  interface Upload {
    id: string;
    path: string;
    byte_size: number;
    received: number;
  }
}
