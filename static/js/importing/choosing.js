/** The files that a person chose or dropped, each with its path. Files that operating systems leave in folders are ignored. */

const LEFT_OUT = /(^|\/)(\.[^/]*|Thumbs\.db|desktop\.ini|__MACOSX)(\/|$)/i;

/** Return the files chosen in an `<input type=file>`. @param {HTMLInputElement} input @returns {ChosenFile[]} */
export function chosen(input) {
  const files = [...(input.files ?? [])].map(/** @returns {ChosenFile} */ (file) => [file.webkitRelativePath || file.name, file]);
  input.value = ""; // so that choosing the same files again fires an event
  return kept(files);
}

/** Return the dropped files, including all files in dropped folders. @param {DataTransfer} dataTransfer */
export async function dropped(dataTransfer) {
  // Read all items first, since the list is empty after the first `await`.
  const items = [...dataTransfer.items].map((item) => ({ entry: item.webkitGetAsEntry?.(), file: item.getAsFile() }));
  /** @type {ChosenFile[]} */
  const files = [];
  for (const { entry, file } of items) {
    if (entry) await walk(entry, files);
    else if (file) files.push([file.name, file]);
  }
  return kept(files);
}

/** @param {FileSystemEntry} entry @param {ChosenFile[]} files the found files are added to this list */
async function walk(entry, files) {
  if (entry.isFile) {
    /** @type {File} */
    const file = await new Promise((resolve, reject) => /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject));
    files.push([entry.fullPath.replace(/^\//, ""), file]);
    return;
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  /** @type {FileSystemEntry[]} */
  let some;
  do { // a reader returns at most a hundred entries at a time, and none at the end
    some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    for (const inner of some) await walk(inner, files);
  } while (some.length);
}

const order = new Intl.Collator(undefined, { numeric: true });

/** @param {ChosenFile[]} files */
const kept = (files) =>
  files.filter(([path]) => !LEFT_OUT.test(path)).toSorted(([path], [other]) => order.compare(path, other));
