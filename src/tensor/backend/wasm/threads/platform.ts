/** What a platform has for threads: workers, memory that they share, processors. */
import { nodeSource, pageSource, type WorkerData } from './worker-source.js';

/** A worker that has been started. */
export interface Handle {
  /** Ends it, whatever it is doing. */
  terminate(): void;
}

export interface Platform {
  /** Why there is one thread only; null where there can be more. */
  readonly missing: string | null;
  /** Threads that can run at the same time. */
  readonly parallelism: number;
  /** Whether the main thread may sleep. One that may not is a page's, which workers need in order to start. */
  readonly mainSleeps: boolean;
  /** Starts a worker, which keeps nobody from ending. `ended` is called when it ends by itself. */
  start(data: WorkerData, ended: (reason: string) => void): Handle;
}

interface NodeWorker extends Handle {
  unref(): void;
  on(event: 'error' | 'exit', listener: (what: unknown) => void): void;
}

/** What is used of Node's modules. */
interface NodeModules {
  'node:worker_threads':
    | { readonly Worker: new (source: string, options: Readonly<Record<string, unknown>>) => NodeWorker }
    | undefined;
  'node:os': { availableParallelism(): number } | undefined;
}

type GetModule = <N extends keyof NodeModules>(name: N) => NodeModules[N];

interface PageWorker extends Handle {
  postMessage(data: WorkerData): void;
  onerror: ((event: { readonly message?: string; preventDefault?(): void }) => void) | null;
}

/** What is used of a page. */
interface Page {
  readonly crossOriginIsolated?: boolean;
  readonly navigator?: { readonly hardwareConcurrency?: number };
  readonly Worker?: new (url: string) => PageWorker;
  readonly Blob?: new (parts: readonly string[], options: { readonly type: string }) => object;
  readonly URL?: { createObjectURL(blob: object): string };
}

const mainMaySleep = (): boolean => {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1);
    return true;
  } catch {
    return false;
  }
};

const onNode = (getModule: GetModule): Platform | null => {
  const workers = getModule('node:worker_threads');
  if (workers === undefined) return null;
  return {
    missing: null,
    parallelism: getModule('node:os')?.availableParallelism() ?? 1,
    mainSleeps: mainMaySleep(),
    start: (workerData, ended) => {
      // Without the options of the process, whose loaders would be loaded again.
      const worker = new workers.Worker(nodeSource, { eval: true, workerData, execArgv: [], name: 'tenfold' });
      worker.on('error', error => ended(String(error)));
      worker.on('exit', code => ended(`it ended with code ${code}`));
      worker.unref();
      return worker;
    },
  };
};

const inPage = ({ Worker, Blob, URL, navigator }: Page): Platform | null => {
  if (Worker === undefined || Blob === undefined || URL === undefined) return null;
  let url: string | undefined;
  return {
    missing: null,
    parallelism: navigator?.hardwareConcurrency ?? 1,
    mainSleeps: mainMaySleep(),
    start: (data, ended) => {
      url ??= URL.createObjectURL(new Blob([pageSource], { type: 'text/javascript' }));
      const worker = new Worker(url);
      worker.onerror = event => {
        event.preventDefault?.();
        ended(event.message ?? 'it could not be started');
      };
      worker.postMessage(data);
      return worker;
    },
  };
};

const oneThread = (missing: string): Platform => ({
  missing,
  parallelism: 1,
  mainSleeps: false,
  start: () => {
    throw new Error(`tenfold: ${missing}`);
  },
});

/** What the platform has. */
export const platformOf = (scope: object): Platform => {
  if (typeof SharedArrayBuffer === 'undefined') {
    return oneThread('the platform has no memory that threads can share; a page has to be cross-origin isolated');
  }
  const node = Reflect.get(scope, 'process') as { readonly getBuiltinModule?: GetModule } | undefined;
  const page = scope as Page;
  if (node?.getBuiltinModule !== undefined) {
    return onNode(name => node.getBuiltinModule!(name)) ?? oneThread('the platform has no workers');
  }
  if (page.crossOriginIsolated !== true) return oneThread('the page is not cross-origin isolated');
  return inPage(page) ?? oneThread('the platform has no workers');
};
