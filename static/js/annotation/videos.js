/** The player of the workspace, with the current pair and the next one. */

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

/** Return the part of a video's address that identifies the file. @param {Api.Video} video */
export const fileOf = (video) => video.playback_url.split("?")[0];

export const player = new Player({
  onExpired: renewAddresses,
  onPlay: () => { current.began = true; },
  idleMs: () => clock.idleMs,
  today,
  chosen: settings,
  onChoice: keepChosen,
});

/** Return the person's exposure to the current pair. */
export const care = () => player.care((side) => form.videoOn(side));

/** Return whether the person has watched a video to the end. @param {Side} side */
export const seen = (side) => player.viewing.seen(side);

/**
 * Renew the expired addresses of a pair. Return false if the lease is lost. Throws Trouble.
 *
 * @param {ClipLoader} loader
 */
async function renewAddresses(loader) {
  const assignment = loader.id === revising.id ? await revising.readdressed() : await leases.renew(loader.id);
  if (assignment) loader.readdress(clipsOf(assignment));
  return assignment !== null;
}
