// The engine in a worker: the page stays alive while it computes.
"use strict";
importScripts("wasm_exec.js");

// unpacked returns the module's bytes: the file is gzip, unless a server has
// unpacked it already.
async function unpacked(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${response.statusText}`);
  const total = Number(response.headers.get("Content-Length")) || 0;
  let loaded = 0;
  const chunks = [];
  for (const reader = response.body.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    loaded += value.length;
    postMessage({ progress: { loaded, total } });
  }
  const blob = new Blob(chunks);
  const head = new Uint8Array(await blob.slice(0, 2).arrayBuffer());
  if (head[0] !== 0x1f || head[1] !== 0x8b) return blob.arrayBuffer();
  return new Response(blob.stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

const ready = (async () => {
  const go = new Go();
  const bytes = await unpacked("estab.wasm.gz");
  const { instance } = await WebAssembly.instantiate(bytes, go.importObject);
  go.run(instance).then(
    () => postMessage({ broken: "the engine has ended" }),
    (err) => postMessage({ broken: String(err) }),
  );
})();

ready.then(() => postMessage({ ready: true }), (err) => postMessage({ broken: String(err.message || err) }));

onmessage = async ({ data: { id, name, args } }) => {
  try {
    await ready;
    const value = self.estab[name](...args);
    if (name === "export") postMessage({ id, value }, [value.data.buffer]);
    else postMessage({ id, value });
  } catch (err) {
    postMessage({ id, error: String((err && err.message) || err) });
  }
};
