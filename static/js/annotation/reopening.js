/**
 * Reopen one's own answer, from “My work” or by going back to the previous pair. Meanwhile the pair that was on the page is put
 * aside, with its draft and its lease.
 */

import { say } from "../page/dom.js";
import { showPassing } from "../page/status.js";
import { form } from "./answer_form.js";
import { answeredCount } from "./answered.js";
import { Refused, Trouble, addressOf, send } from "./api.js";
import { clock } from "./clock.js";
import { current } from "./current_pair.js";
import { drafts } from "./drafts.js";
import { navigation } from "./navigation.js";
import { leases } from "./leases.js";
import { outbox } from "./outbox.js";
import * as lifecycle from "./pair_lifecycle.js";
import * as view from "./pair_view.js";
import { pairBefore } from "./previous_pair.js";
import { revising } from "./revising.js";
import { replaceAnswers } from "./submitted.js";
import { clipsOf, player } from "./videos.js";

/** Event: `over` when the answer is saved or left unchanged, and the page can go back. */
class Reopening extends EventTarget {
  /** The pair to which the person goes back; null: the pair that the server offers. @type {Api.Assignment | null} */
  aside = null;
  #searching = false;

  /**
   * Show an answered pair with its answers. If that is refused, say why and return false. Throws Trouble.
   *
   * @param {number} id
   */
  async open(id) {
    const assignment = await revising.reopen(id);
    if (!assignment) return false;
    this.#show({ assignment, answers: assignment.draft, number: assignment.number, at: new Date(assignment.answered_at) }, null);
    return true;
  }

  /**
   * Show the pair that was submitted before the open one, or last.
   *
   * @param {() => { works: boolean, next: Api.Assignment | null }} look whether the page still works on the study and waits for
   *   nothing, and which pair comes after the current one
   */
  async openPrevious(look) {
    if (this.#searching || current.busy) return;
    if (revising.open && (!revising.isReopened || revising.isChanged(form.answers()))) {
      showPassing(say("previous_finish_first"), "warn");
      return;
    }
    this.#searching = true;
    try {
      const answered = await pairBefore(revising.id);
      const { works, next } = look();
      if (!answered || !works || current.busy) return;
      if (revising.open) revising.close();
      else this.#setAside();
      this.#show(answered, next);
    } finally {
      this.#searching = false;
    }
  }

  /** Put the current pair aside, with its answers and its viewing. */
  #setAside() {
    this.aside = current.assignment;
    if (current.began || form.touched) drafts.changed();
  }

  /** Forget the pair that was put aside, because it is lost. Return whether an answer is reopened. */
  loseAside() {
    this.aside = null;
    return revising.isReopened;
  }

  /** @param {import("./previous_pair.js").Answered} answered @param {Api.Assignment | null} next */
  #show({ assignment, answers, number, at }, next) {
    const { aside } = this;
    showPassing(""); // the last message is about the pair that was left, such as “Last answer undone.”
    lifecycle.showAnswered(assignment, answers, number);
    leases.hold(aside, next);
    if (aside) player.prepare(aside.id, clipsOf(aside));
    clock.reset();
    revising.reopened(assignment, form.answers(), { at, back: aside && answeredCount() + 1 });
    navigation.toFirst();
  }

  /**
   * Save the changed answers. If they cannot be sent now, they wait in the outbox after the answer that they change. If the server
   * refuses them, say why. The change then stays on the page.
   *
   * @param {Api.Draft} body
   */
  async save(body) {
    const { id } = revising;
    if (id === null || !revising.isChanged(body)) {
      showPassing(say("kept"), "good");
      this.leave();
      return;
    }
    const [revision, address] = [revising.revision(body), addressOf("revise", id)];
    const { study } = /** @type {Api.Assignment} */ (current.assignment);
    view.wait(true);
    player.paired.pause();
    try {
      if (outbox.hasEntryOf(id)) throw new Trouble();
      await send("POST", address, revision);
      showPassing(say("revised"), "good");
    } catch (error) {
      if (error instanceof Refused) {
        view.wait(false);
        showPassing(say("refused", { detail: error.message }), "bad");
        return;
      }
      if (!(error instanceof Trouble)) throw error;
      outbox.enqueue({ study, assignment: id, verb: "revise", address, draftAddress: addressOf("draft", id), body: revision });
      showPassing(say("kept_here"));
    }
    replaceAnswers(id, body);
    this.leave();
  }

  /** Leave the stored answer unchanged. */
  leave() {
    revising.close();
    this.dispatchEvent(new Event("over"));
  }
}

export const reopening = new Reopening();
