/** The suite for GPUs in a page, which a driver calls. */
import { type GpuOptions, type GpuOutcome, runGpu } from '../gpu/gpu.js';
import type { Row } from '../row.js';

/** What the driver puts into the page. */
interface Driver {
  report(rows: readonly Row[]): Promise<void>;
  say(text: string): Promise<void>;
}

const page = globalThis as unknown as Driver & {
  readonly navigator: { readonly userAgent: string };
  runSuite?: (options: GpuOptions) => Promise<GpuOutcome>;
};

/** Its name and version, out of a long text. */
const runtime = /(?:Headless)?Chrome\/[\d.]+|Firefox\/[\d.]+/.exec(page.navigator.userAgent)?.[0] ?? 'a browser';

page.runSuite = options =>
  runGpu(
    options,
    { runtime, noWebgl: null },
    text => void page.say(text),
    rows => void page.report(rows),
  );
