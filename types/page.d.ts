/** Types that all scripts share. */

type Side = "left" | "right";
type BySide<T> = Record<Side, T>;

/**
 * The type of the element that a CSS selector finds, read from the tag name of its last part: `Selected<"dialog input[name=a]">` is
 * HTMLInputElement. A selector without a tag name gives HTMLElement.
 */
type Selected<S extends string> = TagOf<LastPart<Plain<S>>> extends infer T
  ? T extends keyof HTMLElementTagNameMap
    ? HTMLElementTagNameMap[T]
    : HTMLElement
  : never;
/** The selector without the text in brackets, which may contain spaces. */
type Plain<S extends string> = S extends `${infer Before}[${string}]${infer After}` ? Plain<`${Before}.${After}`> : S;
type LastPart<S extends string> = S extends `${string} ${infer Rest}` ? LastPart<Rest> : S;
type TagOf<S extends string> = S extends `${infer Tag}.${string}`
  ? TagOf<Tag>
  : S extends `${infer Tag}:${string}`
    ? TagOf<Tag>
    : S extends `${infer Tag}#${string}`
      ? TagOf<Tag>
      : S;

// --- Types that more than one script needs ----------------------------------------------------------------
// A script must not name them by import("./x.js") in a comment: the static files' storage takes that for an import of the module.

/** Fields of a video that the player needs. */
type Clip = Pick<Api.Video, "playback_url" | "poster_url" | "duration_s" | "fps">;
/** Returns the key of the video on a side. */
type VideoOn = (side: Side) => Api.VideoKey;
/** How a pair was watched, from an earlier report. */
type EarlierViewing = Partial<BySide<Api.WatchedVideo>> & { presentation?: Api.Presentation };
type ClipLoader = import("../static/js/player/clip_loader.js").ClipLoader;

/** A question of the form, or the tags of one video. */
type Step = HTMLFieldSetElement;

/** Returns a table of the browser's database within one transaction. */
type TableOf = import("../static/js/annotation/store.js").TableOf;
type Store = import("../static/js/annotation/store.js").Store;
/** An entry of the outbox that waits to be sent. */
type OutboxEntry = import("../static/js/annotation/outbox_entries.js").Entry;
/** A draft that this browser keeps. */
type KeptDraft = import("../static/js/annotation/outbox.js").Draft;
type Refused = import("../static/js/annotation/api.js").Refused;

/** A file that somebody chose for an import, with its path. */
type ChosenFile = [path: string, file: File];
/** A file of an import on its page. */
type FileEntry = import("../static/js/importing/files.js").Entry;
