/** The files that somebody chose or dropped, each with its path; what systems leave in folders is left out. */

const LEFT_OUT = /(^|\/)(\.[^/]*|Thumbs\.db|desktop\.ini|__MACOSX)(\/|$)/i;

/** Of an `<input type=file>`: pairs of a path and a File. */
export function chosen(input) {
  const files = [...input.files].map((file) => [file.webkitRelativePath || file.name, file]);
  input.value = ""; // so that choosing the same again is heard
  return kept(files);
}

/** Of a drop: files as they are, folders with all that is in them. */
export async function dropped(dataTransfer) {
  // All at once, since the list is empty after the first wait.
  const items = [...dataTransfer.items].map((item) => [item.webkitGetAsEntry?.(), item.getAsFile()]);
  const files = [];
  for (const [entry, file] of items) {
    if (entry) await walk(entry, files);
    else if (file) files.push([file.name, file]);
  }
  return kept(files);
}

async function walk(entry, files) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    files.push([entry.fullPath.replace(/^\//, ""), file]);
    return;
  }
  const reader = entry.createReader();
  let some;
  do { // a reader gives a hundred entries at a time, and none when there are no more
    some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    for (const inner of some) await walk(inner, files);
  } while (some.length);
}

const order = new Intl.Collator(undefined, { numeric: true });

const kept = (files) =>
  files.filter(([path]) => !LEFT_OUT.test(path)).sort(([one], [other]) => order.compare(one, other));
