// Uploads files with tus-js-client and its default settings, as somebody's own script does.
// Reads from stdin {endpoint, token, files: [{path, metadata}]}, and writes one line for each file: its address, or what went wrong.
import { createReadStream, readFileSync } from "node:fs";
import { Upload } from "tus-js-client";

const { endpoint, token, files } = JSON.parse(readFileSync(0, "utf8"));

/** @param {{ path: string, metadata: Record<string, string> }} file */
const send = ({ path, metadata }) => new Promise((resolve) => {
  const upload = new Upload(createReadStream(path), {
    endpoint,
    metadata,
    headers: { Authorization: `Token ${token}` },
    onSuccess: () => resolve({ address: upload.url }),
    onError: (error) => resolve({ error: String(error) }),
  });
  upload.start();
});

for (const outcome of await Promise.all(files.map(send))) console.log(JSON.stringify(outcome));
