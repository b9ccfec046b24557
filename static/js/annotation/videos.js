/** The player of the workspace, with the current pair and the one that follows it. */

import { Player } from "../player/player.js";
import { form } from "./answer_form.js";
import { clock } from "./clock.js";
import { current } from "./current_pair.js";
import { leases } from "./leases.js";
import { revising } from "./revising.js";
import { today } from "./server_time.js";
import { keepChosen, settings } from "./settings.js";

/** Return the two videos of a pair by the side on which this person sees them. @param {Api.Assignment} assignment */
export const clipsOf = (assignment) => {
  const right = assignment.left === "video_0" ? "video_1" : "video_0";
  return { left: assignment[assignment.left], right: assignment[right] };
};

/** What a video's address names, whatever else the address says. @param {Api.Video} video */
export const fileOf = (video) => video.playback_url.split("?")[0];

export const player = new Player({
  onExpired: renewAddresses,
  onPlay: () => { current.began = true; },
  idleMs: () => clock.idleMs,
  today,
  chosen: settings,
  onChoice: keepChosen,
});

/** What was revealed of the current pair. */
export const care = () => player.care((side) => form.videoOn(side));

/** Whether the person has watched a video to its end. @param {Side} side */
export const seen = (side) => player.viewing.seen(side);

/**
 * Gives a pair whose addresses have expired new ones. Return false if the lease is lost. Raises Trouble.
 *
 * @param {Reel} reel
 */
async function renewAddresses(reel) {
  const assignment = reel.id === revising.id ? await revising.readdressed() : await leases.renew(reel.id);
  if (assignment) reel.readdress(clipsOf(assignment));
  return assignment !== null;
}
