/**
 * What a worker runs, as text: bundlers know nothing of workers, and so have no file to lose. A worker gets programs as bytes
 * in the shared memory, since one that waits receives no messages, and runs them when it is told to.
 */
import {
  abort,
  done,
  end,
  idlers,
  job,
  jobs,
  jobWords,
  kinds,
  longestMessage,
  message,
  messageBytes,
} from './control.js';

/** What a worker is told when it begins. */
export interface WorkerData {
  readonly memory: object;
  /** Its number; 0 is the main thread. */
  readonly thread: number;
  /** The number of the last job before its time. */
  readonly seen: number;
}

/** Milliseconds that a worker looks for the next job before it goes to sleep: waking it takes half as long. */
const lookingMs = 0.2;

/** A function of {@link WorkerData} that returns when it is told to end. */
const work = `({ memory, thread, seen }) => {
  const words = new Int32Array(memory.buffer, 0, ${end / 4});
  const at = address => Atomics.load(words, address / 4);
  const programs = [];
  const fail = error => {
    if (Atomics.compareExchange(words, ${abort / 4}, 0, thread + 1) !== 0) return;
    const text = new TextEncoder().encode(String(error)).subarray(0, ${longestMessage});
    new Uint8Array(memory.buffer, ${message}, text.length).set(text);
    Atomics.store(words, ${messageBytes / 4}, text.length);
  };
  const missing = name => () => {
    throw new Error(name + ' is called, which only the main thread has');
  };
  const load = ({ slot, arena, length, library }) => {
    // What another thread has added to the memory is seen for sure after growing it.
    if (memory.buffer.byteLength < (arena >>> 0) + length) memory.grow(0);
    const module = new WebAssembly.Module(new Uint8Array(memory.buffer, arena >>> 0, length).slice());
    const env = { ...programs[library] };
    for (const { kind, name } of WebAssembly.Module.imports(module))
      if (kind === 'function') env[name] ??= name.startsWith('Math.') ? Math[name.slice(5)] : missing(name);
    programs[slot] = new WebAssembly.Instance(module, { env: { ...env, memory } }).exports;
  };
  for (Atomics.add(words, ${done / 4}, 1); ; Atomics.add(words, ${done / 4}, 1)) {
    for (;;) {
      const from = performance.now();
      while (at(${jobs}) === seen && performance.now() - from < ${lookingMs});
      if (at(${jobs}) !== seen) break;
      // It may also be woken without a job, because there will be one soon.
      Atomics.add(words, ${idlers / 4}, 1);
      Atomics.wait(words, ${jobs / 4}, seen);
      Atomics.sub(words, ${idlers / 4}, 1);
    }
    seen = at(${jobs});
    const job = {};
    ${JSON.stringify(jobWords)}.forEach((name, i) => {
      job[name] = at(${job} + 4 * i);
    });
    try {
      if (job.kind === ${kinds.load}) load(job);
      else if (job.kind === ${kinds.run} && thread < job.threads) programs[job.slot].main(job.arena, job.table, thread, job.threads);
    } catch (error) {
      fail(error);
    }
    if (job.kind === ${kinds.end}) break;
  }
  Atomics.add(words, ${done / 4}, 1);
}`;

/** For `new Worker(source, { eval: true })` in Node. */
export const nodeSource = `(${work})(process.getBuiltinModule('node:worker_threads').workerData);`;

/** For a page: begins with the first message. */
export const pageSource = `onmessage = ({ data }) => {
  (${work})(data);
  close();
};`;
