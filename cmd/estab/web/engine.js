// The engine, for the page. It lives in a worker; every call is a promise.
// What the calls take and return is written down in internal/lab/page.

class Engine {
  #worker;
  #waiting = new Map();
  #broken = "";
  #next = 1;
  #running = null; // the run that the worker is busy with
  #queued = null; // the only one that waits behind it

  constructor(worker) {
    this.#worker = worker;
    worker.addEventListener("message", ({ data: { id, value, error, broken } }) => {
      if (broken) this.#breaks(broken);
      const call = this.#waiting.get(id);
      if (!call) return;
      this.#waiting.delete(id);
      if (error === undefined) call.resolve(value);
      else call.reject(new Error(error));
    });
  }

  // #breaks answers whoever waits: nothing more will come.
  #breaks(why) {
    this.#broken = why;
    for (const call of this.#waiting.values()) call.reject(new Error(why));
    this.#waiting.clear();
  }

  #call(name, ...args) {
    if (this.#broken) return Promise.reject(new Error(this.#broken));
    const id = this.#next++;
    const answer = new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#worker.postMessage({ id, name, args });
    return answer;
  }

  async catalog() {
    return JSON.parse(await this.#call("catalog"));
  }

  // run plays an experiment. While one is played, of those that are asked for
  // only the latest will be: the others resolve to null.
  async run(experiment, { keep = false } = {}) {
    const play = async () => {
      const began = performance.now();
      const result = JSON.parse(await this.#call("run", JSON.stringify(experiment)));
      result.took = performance.now() - began;
      return result;
    };
    if (keep) return play();
    if (this.#running) {
      this.#queued?.(false);
      if (!(await new Promise((go) => (this.#queued = go)))) return null;
    }
    this.#running = play();
    try {
      return await this.#running;
    } finally {
      this.#running = null;
      const next = this.#queued;
      this.#queued = null;
      next?.(true);
    }
  }

  async parse(link) {
    return JSON.parse(await this.#call("parse", link));
  }

  async format(experiment) {
    return this.#call("format", JSON.stringify(experiment));
  }

  // export makes a file: {name, type, data}, or {problem}.
  async export(kind, experiment) {
    const { head, data } = await this.#call("export", kind, JSON.stringify(experiment));
    return { ...JSON.parse(head), data };
  }
}

// load starts the engine. progress is told how many bytes have been loaded.
export function load(progress = () => {}) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("worker.js", import.meta.url));
    worker.addEventListener("error", (e) => reject(new Error(e.message || "the worker can't be loaded")));
    worker.addEventListener("message", ({ data }) => {
      if (data.progress) progress(data.progress);
      if (data.ready) resolve(new Engine(worker));
      if (data.broken) reject(new Error(data.broken));
    });
  });
}
